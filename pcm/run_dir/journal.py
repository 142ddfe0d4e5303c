"""The metrics journal: `metrics.jsonl`, one line a logged step, append only.

A line is `{"attempt", "step", "epoch", "time", "values": {key: number}}`. A resumed
attempt starts with `{"attempt", "resumed_from_step"}`: rows of earlier attempts beyond
that step were lost with the interrupted process and are computed again, so readers
leave them out.
"""

import csv
import io
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pcm.run_dir.files import write_text


@dataclass(frozen=True, slots=True)
class Row:
    """Metrics of one step.

    Attributes:
        step: training batches done, over all attempts, from 1; 0 before the first.
        time: seconds since the epoch.
    """

    attempt: int
    step: int
    epoch: int
    time: float
    values: dict[str, float]


class JournalWriter:
    """Appends to the journal; one writer, rank 0 of the running attempt."""

    def __init__(self, path: Path, attempt: int, resumed_from_step: int | None) -> None:
        self._attempt = attempt
        end_torn_line(path)
        self._stream = path.open("a", encoding="utf-8")
        if resumed_from_step is not None:
            self._write({"attempt": attempt, "resumed_from_step": resumed_from_step})

    def append(self, step: int, epoch: int, time: float, values: dict[str, float]) -> None:
        """Add one row; in the operating system's hands on return."""
        self.append_row(Row(self._attempt, step, epoch, time, values))

    def append_row(self, row: Row) -> None:
        """Add one row of this attempt."""
        self._write(asdict(row))

    @property
    def size(self) -> int:
        """Bytes of the journal so far."""
        return self._stream.tell()

    def sync(self) -> None:
        """Flush to the disk itself; called before a checkpoint is committed."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Flush to the disk and close."""
        self.sync()
        self._stream.close()

    def _write(self, record: dict[str, Any]) -> None:
        self._stream.write(json.dumps(record) + "\n")
        self._stream.flush()


def end_torn_line(path: Path) -> None:
    """Close a line that a killed writer left unfinished, so that the next one is whole."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) != b"\n":
            stream.write(b"\n")


def read_journal(path: Path) -> list[Row]:
    """The rows that count, by step, without torn lines and without superseded rows."""
    rows: list[Row] = []
    for record in _records(path):
        if "resumed_from_step" in record:
            rows = [row for row in rows if row.step <= record["resumed_from_step"]]
        else:
            rows.append(Row(**record))
    return sorted(rows, key=lambda row: row.step)


def rows_after(path: Path, start: int) -> list[Row] | None:
    """The rows beyond the first `start` bytes, which are whole lines.

    Returns:
        None if they take back rows before them, or the journal is shorter than that.
    """
    size = path.stat().st_size if path.exists() else 0
    if size <= start:
        return [] if size == start else None
    records = list(_records(path, start))
    if any("resumed_from_step" in record for record in records):
        return None
    return sorted((Row(**record) for record in records), key=lambda row: row.step)


def _records(path: Path, start: int = 0) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(start)
        for line in stream:
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record


def write_metrics_table(journal: Path, table: Path) -> None:
    """Write the journal's rows as CSV: `step, epoch, <keys, sorted>`, exact numbers."""
    merged: dict[tuple[int, int], dict[str, float]] = {}
    for row in read_journal(journal):
        merged.setdefault((row.step, row.epoch), {}).update(row.values)
    keys = sorted({key for values in merged.values() for key in values})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", "epoch", *keys])
    for (step, epoch), values in merged.items():
        cells = [repr(values[key]) if key in values else "" for key in keys]
        writer.writerow([step, epoch, *cells])
    write_text(table, text.getvalue())
