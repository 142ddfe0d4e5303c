"""Writing a file so that nobody ever sees half of it."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pcm.run_dir.trust import open_own, open_private

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a full disk, or of a quota that is used up."""


def fsync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_writer(path: Path, *, durable: bool = True, private: bool = False) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path` that takes its place when the block ends well.

    After an error (a full disk, an interrupt) `path` is as it was and the temporary
    file is gone. Nobody else may change the file.

    Args:
        durable: flush to the disk itself; False for records that may be lost.
        private: nobody else may read it either.
    """
    # The name is new each time, so a leftover of a killed process is in nobody's way.
    aside = _beside(path)
    opener = open_private if private else open_own
    try:
        with _named(path, aside), open(aside, "wb", opener=opener) as stream:
            yield stream
            stream.flush()
            if durable:
                os.fsync(stream.fileno())
            aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    if durable:
        fsync_folder(path.parent)


@contextmanager
def _named(path: Path, aside: Path) -> Iterator[None]:
    """Have errors name the file that was to be written.

    The system names what it can't open, which is aside, and nothing that a full disk has no
    room for.
    """
    try:
        yield
    except OSError as error:
        if error.filename in (None, str(aside)):
            error.filename = str(path)
            # None would be told, too: "... -> None".
            del error.filename2
        raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")


def write_text(path: Path, text: str, *, durable: bool = True, private: bool = False) -> None:
    """Write `text` to `path` as a whole or not at all."""
    with atomic_writer(path, durable=durable, private=private) as stream:
        stream.write(text.encode())


def write_json(path: Path, record: Any, *, durable: bool = True, private: bool = False) -> None:
    """Write `record` to `path` as JSON, as a whole or not at all."""
    write_text(path, json.dumps(record, indent=1) + "\n", durable=durable, private=private)


def overwrite_json(path: Path, record: Any) -> None:
    """Write `record` into the file that is there, where a full disk has no room for another.

    A reader may see half of it for a moment.
    """
    with _named(path, path), path.open("r+b") as stream:
        stream.write(json.dumps(record, indent=1).encode() + b"\n")
        stream.truncate()


def create_json(path: Path, record: Any) -> bool:
    """Write `record` to `path` unless the file exists; the first of many writers wins.

    Returns:
        Whether this call wrote the file.
    """
    aside = _beside(path)
    try:
        with _named(path, aside), open(aside, "w", opener=open_own) as stream:
            stream.write(json.dumps(record, indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
            # Unlike O_EXCL, a hard link puts the whole content in place at once, on NFS too.
            os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        with suppress(OSError):
            aside.unlink()
    fsync_folder(path.parent)
    return True


def read_json(path: Path) -> Any:
    """The record in `path`, or None where there is no such file.

    Raises:
        ValueError: it is no JSON, or nested deeper than anybody's record.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
