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
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pcm.run_dir.files import write_text
from pcm.run_dir.typed_json import Damaged, parse_object, parse_objects, unreadable

OnDamage = Callable[[Damaged], None]

_NUMBERS = frozenset({int, float})

_RESUMED = "resumed_from_step"

AT_ONCE = 1000
"""Lines that are parsed as one text."""

LOSSES = ("train/loss", "train_loss", "loss")
"""Metrics, of which the first that exists is the loss that progress tells."""


class Row(NamedTuple):
    """Metrics of one step: a tuple, since ten thousand journals may have ten million.

    Attributes:
        step: training batches done, over all attempts, from 1; 0 before the first.
        time: seconds since the epoch.
    """

    attempt: int
    step: int
    epoch: int
    time: float
    values: dict[str, float]


_COUNTS = ("attempt", "step", "epoch")


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
        self._write(row._asdict())

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


def read_journal(path: Path, on_damage: OnDamage = lambda _: None) -> list[Row]:
    """The rows that count, by step, without torn lines and without superseded rows.

    Args:
        on_damage: called with what is no line of a journal, nor what a kill leaves of one.
    """
    rows: list[Row] = []
    for number, line, known in _records(path, on_damage):
        try:
            record = parse_object(line) if known is None else known
            if (resumed := resumed_from(record)) is not None:
                rows = [row for row in rows if row.step <= resumed]
            else:
                rows.append(row_in(record))
        except ValueError as error:
            if not _is_torn(line):
                on_damage(Damaged(path, str(error), number))
    return sorted(rows, key=lambda row: row.step)


def lost_seconds(path: Path) -> float:
    """How long attempts worked, as far as rows tell, on what a later one computed again."""
    rows: list[Row] = []
    lost = 0.0
    for _, line in _lines(path, lambda _: None):
        # Who reads the rows themselves hears of what is no line of a journal.
        with suppress(ValueError):
            record = parse_object(line)
            if _RESUMED not in record:
                rows.append(row_in(record))
                continue
            step = _whole_number(record, _RESUMED)
            taken_back = [row for row in rows if row.step > step]
            rows = [row for row in rows if row.step <= step]
            for attempt in {row.attempt for row in taken_back}:
                ends = [row.time for row in taken_back if row.attempt == attempt]
                kept = [row.time for row in rows if row.attempt == attempt]
                lost += max(0.0, max(ends) - max(kept, default=min(ends)))
    return lost


def rows_after(path: Path, start: int) -> list[Row] | None:
    """The rows beyond the first `start` bytes, which are whole lines.

    Returns:
        None if they take back rows before them, the journal is shorter than that, or something
        is wrong with it.
    """
    size = path.stat().st_size if path.exists() else 0
    if size <= start:
        return [] if size == start else None
    rows: list[Row] = []
    for _, line in _lines(path, lambda _: None, start):
        try:
            record = parse_object(line)
            if _RESUMED in record:
                return None
            rows.append(row_in(record))
        except ValueError:
            return None
    return sorted(rows, key=lambda row: row.step)


def _lines(path: Path, on_damage: OnDamage, start: int = 0) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            yield from enumerate(stream, 1)
    except FileNotFoundError:
        return
    except OSError as error:
        on_damage(Damaged(path, unreadable(error)))


def _records(path: Path, on_damage: OnDamage) -> Iterator[tuple[int, bytes, dict[str, Any] | None]]:
    """The lines, their numbers, and the objects in them; None where one of a few holds none."""
    lines = _lines(path, on_damage)
    while some := list(islice(lines, AT_ONCE)):
        # Twice as fast as one by one, for journals of ten thousand experiments.
        try:
            records = parse_objects([line for _, line in some])
        except ValueError:
            yield from ((number, line, None) for number, line in some)
        else:
            for (number, line), record in zip(some, records, strict=True):
                yield number, line, record


def _is_torn(line: bytes) -> bool:
    """Whether it is what a killed writer leaves: the beginning of a line, and no more."""
    return line.startswith(b'{"attempt') and not line.rstrip().endswith(b"}")


def resumed_from(record: dict[str, Any]) -> int | None:
    """The step that the record takes the journal back to; None for a row.

    Raises:
        ValueError: that is no step.
    """
    return _whole_number(record, _RESUMED) if _RESUMED in record else None


def row_in(record: dict[str, Any]) -> Row:
    """The row that a record is.

    Raises:
        ValueError: it is none; says so in a way that people understand.
    """
    attempt, step, epoch = record.get("attempt"), record.get("step"), record.get("epoch")
    if not (type(attempt) is type(step) is type(epoch) is int):
        attempt, step, epoch = (_whole_number(record, key) for key in _COUNTS)
    time: Any = record.get("time")
    values = record.get("values")
    if type(time) not in _NUMBERS or not isinstance(values, dict):
        raise ValueError("its time or its values are of another type")
    if not _NUMBERS.issuperset(map(type, values.values())):
        raise ValueError("one of its values is no number")
    return Row(attempt, step, epoch, float(time), values)


def _whole_number(record: dict[str, Any], key: str) -> int:
    number = record.get(key)
    if type(number) is not int:
        raise ValueError(f"its '{key}' is no whole number")
    return number


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
