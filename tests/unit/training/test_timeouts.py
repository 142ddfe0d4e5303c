import pytest

from pcm.training.rendezvous import MissedRanksError
from pcm.training.timeouts import is_timeout

GLOO = "[/pytorch/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 6000ms for recv"


@pytest.mark.parametrize("error", [RuntimeError(GLOO), MissedRanksError("only 1 of 2 ranks came")])
def test_who_has_waited_in_vain(error: Exception) -> None:
    assert is_timeout(error)


def test_also_where_somebody_says_it_in_other_words() -> None:
    error = ValueError("no luck")
    error.__cause__ = RuntimeError(GLOO)
    assert is_timeout(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("Connection closed by peer"), ValueError("Timed out waiting")]
)
def test_any_other_error(error: Exception) -> None:
    assert not is_timeout(error)
