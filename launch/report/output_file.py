"""A file that somebody named for a command's result."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pcm.errors import RefusedError
from pcm.run_dir import write_text


def write_output(path: Path, text: str) -> None:
    """Write the file as a whole or not at all: who has it open may load it again at any time.

    A link goes on leading to where it led. A pipe or a device is written to, not replaced:
    a rename by root would put a file in the place of /dev/null.

    Raises:
        RefusedError: it couldn't be written.
    """
    with as_output(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8")
        else:
            write_text(Path(os.path.realpath(path)), text)


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
