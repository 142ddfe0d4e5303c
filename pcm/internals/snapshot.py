"""What `torch.save` would write, copied out of training's reach, so that it can be written later.

`torch.save` pickles an object and hands one record after another to a writer of zip files. Here
the writer keeps the records, with a copy of each storage, and they are handed to a real one
afterwards. So the file has the very bytes that `torch.save` would have written.
"""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import UntypedStorage, serialization

Record = tuple[str, str | bytes | UntypedStorage, int]
"""Name, content and size in bytes."""


class Stream(Protocol):
    """All that torch's writer asks of a file."""

    def write(self, data: bytes) -> int:
        """Write all of it."""

    def flush(self) -> None:
        """Hand it on."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An object as it was, ready to be written."""

    records: list[Record]

    def write(self, stream: Stream) -> None:
        """Write the file; an error of the stream comes as torch's RuntimeError."""
        with serialization._open_zipfile_writer(stream) as writer:  # type: ignore[arg-type]
            for record in self.records:
                writer.write_record(*record)


class Snapshots:
    """Takes one snapshot at a time, into memory that is kept for the next.

    Fresh memory costs as much again as the copy: the kernel fills it with zeros first.

    Args:
        room: bytes of memory that may be used; asked when more is needed.
    """

    def __init__(self, room: Callable[[], int]) -> None:
        self._room = room
        self._kept: list[UntypedStorage] = []

    def take(self, content: Mapping[str, Any]) -> Snapshot | None:
        """A snapshot; the one before is overwritten. None where there is no room for it."""
        recorder = _Recorder(self._kept, self._room)
        try:
            serialization._save(content, recorder, pickle, serialization.DEFAULT_PROTOCOL, False)  # noqa: FBT003
        except _NoRoomError:
            self._kept = []
            return None
        self._kept = recorder.copies
        return Snapshot(recorder.records)


class _NoRoomError(Exception):
    pass


class _Recorder:
    """In the place of torch's writer.

    A storage on a GPU comes here as torch's own copy of it, and is copied once more: it can't be
    told from one that training will change.
    """

    def __init__(self, kept: list[UntypedStorage], room: Callable[[], int]) -> None:
        self.records: list[Record] = []
        self.copies: list[UntypedStorage] = []
        self._kept = kept
        self._ask = room
        self._left: int | None = None

    def write_record(self, name: str, data: str | bytes | UntypedStorage, size: int) -> None:
        """Keep one record."""
        if isinstance(data, UntypedStorage):
            data = self._copied(data)
        self.records.append((name, data, size))

    def _copied(self, storage: UntypedStorage) -> UntypedStorage:
        place = len(self.copies)
        copy = self._kept[place] if place < len(self._kept) else None
        if copy is None or copy.nbytes() != storage.nbytes():
            copy = self._allocated(storage.nbytes())
        self.copies.append(copy.copy_(storage))
        return copy

    def _allocated(self, size: int) -> UntypedStorage:
        self._left = (self._ask() if self._left is None else self._left) - size
        if self._left < 0:
            raise _NoRoomError
        return torch.UntypedStorage(size)
