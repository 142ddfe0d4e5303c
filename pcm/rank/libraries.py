"""Importing what trains, and words where a library is missing or broken."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pcm.errors import RefusedError
from pcm.garbage_collection import no_garbage_collection
from pcm.lean_imports import lean_imports

_HINT = (
    "{python} -m pip install 'pcm-launch[train]'; or name another Python in PCM_PYTHON; "
    "an image is built again by `pcm image build`"
)


@contextmanager
def needed_libraries() -> Iterator[None]:
    """Around imports of ours that bring in what others wrote.

    Raises:
        RefusedError: something can't be imported; says what, and by which Python.
    """
    try:
        with no_garbage_collection(), lean_imports():
            yield
    except ModuleNotFoundError as error:
        raise _refusal(f"has no {error.name or error}") from error
    except (ImportError, OSError) as error:
        # Torch loads shared libraries by itself, and what is wrong with them is an OSError.
        raise _refusal(f"can't load what training needs: {error}") from error


def _refusal(problem: str) -> RefusedError:
    python = sys.executable
    return RefusedError(f"{python}, which is to train, {problem}", _HINT.format(python=python))
