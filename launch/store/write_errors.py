"""Writing below the runs root, and what to say where that can't be."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pcm.errors import RefusedError


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Turn what the file system refuses into something that a person can act on."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise RefusedError(
            f"can't write to the runs folder {root}: {reason}",
            hint="free some space, or choose another folder with --runs-dir or PCM_RUNS_DIR",
        ) from error
