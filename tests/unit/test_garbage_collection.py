"""The garbage collector, left out for a while."""

import gc

import pytest

from pcm.garbage_collection import no_garbage_collection


def test_it_is_off_inside_and_as_before_after() -> None:
    assert gc.isenabled()
    with no_garbage_collection():
        assert not gc.isenabled()
        with no_garbage_collection():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_leaves_it_on() -> None:
    with pytest.raises(ValueError, match="no"), no_garbage_collection():
        raise ValueError("no")
    assert gc.isenabled()
