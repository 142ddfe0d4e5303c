"""`events.jsonl`: what trackers get besides metrics: pictures, checkpoints, hyperparameters.

Append only, a JSON object a line, written by training rank 0. With it, and the metrics
journal, a tracker that is added later gets everything.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pcm.run_dir.journal import end_torn_line
from pcm.run_dir.typed_json import parse_object


class EventWriter:
    """Appends to the events; one writer, rank 0 of the running attempt.

    Training appends, and so does the thread that writes checkpoints.
    """

    def __init__(self, path: Path) -> None:
        end_torn_line(path)
        self._lock = threading.Lock()
        self._stream = path.open("a", encoding="utf-8")

    def figure(self, name: str, step: int, file: str) -> None:
        """A picture; `file` is relative to the folder of plots."""
        self._write({"kind": "figure", "key": name, "step": step, "file": file})

    def text(self, key: str, step: int, text: str) -> None:
        """One line of a text series, such as a checkpoint's name."""
        self._write({"kind": "text", "key": key, "step": step, "text": text})

    def fields(self, fields: dict[str, str | int | float | bool]) -> None:
        """Single values, such as hyperparameters."""
        self._write({"kind": "fields", "fields": fields})

    def sync(self) -> None:
        """Flush to the disk itself; called before a checkpoint is committed."""
        with self._lock:
            self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Close the file; what was appended is in the operating system's hands already."""
        self._stream.close()

    def _write(self, event: dict[str, Any]) -> None:
        line = json.dumps({**event, "time": time.time()}) + "\n"
        with self._lock:
            self._stream.write(line)
            self._stream.flush()


class LineTail:
    """Reads the JSON objects that were appended to a file since the last look.

    Args:
        on_other: called with a line that is none: torn by a killed writer, and closed by the
            next one, or no JSON at all.
    """

    def __init__(self, path: Path, on_other: Callable[[bytes], None] = lambda _: None) -> None:
        self._path = path
        self._on_other = on_other
        self._offset = 0

    def read(self, *, is_whole: bool = False) -> Iterator[dict[str, Any]]:
        """New whole lines; a line that is still being written waits for the next call.

        A file that has become shorter was begun anew, and is read from its beginning.

        Args:
            is_whole: whether nobody writes any more, so that the last line needs no end.
        """
        if not self._path.exists():
            return
        with self._path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size < self._offset:
                self._offset = 0
            stream.seek(self._offset)
            for line in stream:
                if not is_whole and not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                try:
                    record = parse_object(line)
                except ValueError:
                    self._on_other(line.rstrip(b"\r\n"))
                else:
                    yield record
