"""The files that W&B's client writes offline, read back: its own reader is not in Python.

A file is a log in LevelDB's format: blocks of 32 KiB, each a row of chunks with checksum,
length and kind; a record of the client's protocol is one chunk, or several.
"""

import itertools
import json
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pcm.tracking.tracker import SYSTEM

_BLOCK = 32768
_FILE_HEADER = 7
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _LAST = 1, 2, 4
STEP = "trainer/global_step"
"""As in Lightning's own logger, so that runs of both can be compared."""

SECONDS = f"{SYSTEM}seconds"
"""The x axis of what the machine does."""

_PATIENCE_S = 15.0
"""How long the client's own process may take to write the rest."""

_PAUSE_S = 0.1
"""Seconds between two looks at who has a file open."""


def last_steps(files: Iterable[Path]) -> dict[str, int]:
    """Series -> its highest step."""
    steps: dict[str, int] = {}
    for row in itertools.chain.from_iterable(map(read_rows, files)):
        # The client adds the last step of training to the rows of the other axis, too.
        for key in row:
            if (axis := axis_of(key)) in row:
                steps[key] = max(int(row[axis]), steps.get(key, -1))
    return steps


def axis_of(key: str) -> str:
    """What a series is drawn over."""
    return SECONDS if key.startswith(SYSTEM) else STEP


def wait_for_writers(files: Iterable[Path]) -> None:
    """Until no process here has one of the files open.

    The client writes in a process of its own, which sees to the rest after the death of ours.
    """
    names = {str(file.resolve()) for file in files}
    deadline = time.monotonic() + _PATIENCE_S
    while names & set(_open_files()) and time.monotonic() < deadline:
        time.sleep(_PAUSE_S)


def _open_files() -> Iterator[str]:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # it was closed meanwhile, or is another user's
            yield str(descriptor.readlink())


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """What was logged, in order."""
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made at its import

    for data in _records(file.read_bytes()):
        record = Record.FromString(data)
        if record.WhichOneof("record_type") == "history":
            yield {
                item.key or "/".join(item.nested_key): json.loads(item.value_json)
                for item in record.history.item
            }


def _records(log: bytes) -> Iterator[bytes]:
    record = b""
    for kind, data in _chunks(log):
        record = data if kind in {_FULL, _FIRST} else record + data
        if kind in {_FULL, _LAST}:
            yield record


def _chunks(log: bytes) -> Iterator[tuple[int, bytes]]:
    position = _FILE_HEADER
    while position + _CHUNK.size <= len(log):
        if _BLOCK - position % _BLOCK < _CHUNK.size:  # the rest of a block is left empty
            position += _BLOCK - position % _BLOCK
            continue
        _, length, kind = _CHUNK.unpack_from(log, position)
        position += _CHUNK.size
        if kind == 0 or position + length > len(log):  # torn by a killed writer
            return
        yield kind, log[position : position + length]
        position += length
