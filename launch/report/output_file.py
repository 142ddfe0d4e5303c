"""A file that somebody named for a command's result."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pcm.errors import RefusedError


@contextmanager
def as_output(path: Path) -> Iterator[None]:
    """Say which file couldn't be written in the block, by the name that the person gave it.

    Raises:
        RefusedError: it couldn't.
    """
    try:
        yield
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or str(error)
        raise RefusedError(f"can't write {path}: {reason}", "name another file with -o") from error
