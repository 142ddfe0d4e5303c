"""What a script logs, taken into the journal of its experiment while it runs.

The script appends JSON lines to a file of the attempt, `{"step": 10, "loss": 0.5}`. Rank 0's
process is the journal's one writer, as for any other training.
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pcm.console import tell
from pcm.run_dir import AttemptDir, JournalWriter, RunDir, read_journal
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import prune, read_manifests
from pcm.run_dir.journal import LOSSES, Row
from pcm.run_dir.summary import Summary, summarise, write_summary
from pcm.scripts.script_progress import ScriptProgress
from pcm.tracking.events import EventWriter, LineTail

_OWN = frozenset({"step", "epoch", "time", "total_steps", "pcm"})
"""Keys of a line that are no metrics."""

_MOST_STEPS = (1 << 63) - 1
"""What trackers and tables can hold."""

_MOST_SHOWN = 80
"""Bytes of a line that is left out."""


class ScriptJournal:
    """Reads on in what a script logs.

    Attributes:
        marks: what the script has said of itself: `stopping`, `finished`.
    """

    def __init__(self, run_dir: RunDir, attempt: AttemptDir, progress: ScriptProgress) -> None:
        self.marks: set[str] = set()
        self._run_dir = run_dir
        self._attempt = attempt
        self._progress = progress
        self._tail = LineTail(attempt.logged, on_other=self._warn_of)
        self._writer: JournalWriter | None = None
        self._take_what_is_missing()
        self._summary = summarise(run_dir.metrics)
        self._step = self._summary.step or 0
        self._epoch = 0
        self._events = EventWriter(run_dir.events)
        self._checkpointing = read_checkpointing(run_dir)
        self._known = set(self._names_of_checkpoints())
        self._is_warned = False
        # What an attempt before has named still holds.
        progress.named_step = self._step or None

    @property
    def summary(self) -> Summary:
        """What the journal comes to."""
        return self._summary

    @property
    def epoch(self) -> int:
        """Epochs done, as far as the script says."""
        return self._epoch

    def look(self, *, is_last: bool = False) -> bool:
        """Take what is new: lines, and checkpoints.

        Args:
            is_last: whether the script has ended, so that its last line needs no end.

        Returns:
            Whether anything was.
        """
        is_new = False
        for record in self._tail.read(is_whole=is_last):
            is_new = True
            self._mark(record)
            if (row := self._row(record)) is not None:
                self._append(row)
                self._note_place(record, row)
        if new := set(self._names_of_checkpoints()) - self._known:
            self._note_checkpoints(new)
        return is_new or bool(new)

    def settle(self) -> None:
        """Take the rest, and flush all to the disk; the script has ended."""
        self.look(is_last=True)
        if self._writer is not None:
            self._writer.sync()
        self._events.sync()
        write_summary(self._run_dir, self._summary)

    def close(self) -> None:
        """Close the files."""
        if self._writer is not None:
            self._writer.close()
        self._events.close()

    def _mark(self, record: Mapping[str, Any]) -> None:
        if isinstance(mark := record.get("pcm"), str):
            self.marks.add(mark)
        total = record.get("total_steps")
        if type(total) is int:
            self._progress.total_steps = total

    def _row(self, record: Mapping[str, Any]) -> Row | None:
        row = row_of(record, self._attempt.number, self._step, self._epoch)
        if row is None and "pcm" not in record:
            self._warn_of(json.dumps(record).encode())
        return row

    def _warn_of(self, line: bytes) -> None:
        """Say what is left out, once: all of them may be so."""
        if self._is_warned or not line.strip():
            return
        self._is_warned = True
        shown = line[:_MOST_SHOWN].decode(errors="replace")
        where = self._attempt.logged
        tell(f"warning: a line of {where} is left out, it is no JSON object with a number: {shown}")

    def _append(self, row: Row) -> None:
        if self._writer is None:
            # What was logged from this step on is computed again, as after any resume.
            since = row.step - 1 if self._run_dir.metrics.exists() else None
            self._writer = JournalWriter(self._run_dir.metrics, row.attempt, since)
            self._summary = summarise(self._run_dir.metrics)
        self._writer.append_row(row)
        self._summary = self._summary.after([row], self._writer.size)
        # No phase that expects steps: nobody knows how often a script logs.
        self._progress.phase = "running"
        self._progress.chances += 1
        loss = next((row.values[name] for name in LOSSES if name in row.values), None)
        self._progress.loss = self._progress.loss if loss is None else loss

    def _note_place(self, record: Mapping[str, Any], row: Row) -> None:
        """How far it is, by what it names alone: the journal has a 0 for the rest."""
        self._step, self._epoch = row.step, row.epoch
        if _names(record, "step"):
            self._progress.named_step = row.step
        if _names(record, "epoch"):
            self._progress.named_epoch = row.epoch

    def _names_of_checkpoints(self) -> Iterator[str]:
        return (path.name for path in self._run_dir.checkpoints.glob("*.ckpt.json"))

    def _note_checkpoints(self, names: set[str]) -> None:
        """Log the new ones, and remove those that are not kept."""
        self._known |= names
        if self._writer is not None:
            self._writer.sync()
        write_summary(self._run_dir, self._summary)
        for manifest in read_manifests(self._run_dir.checkpoints):
            if f"{manifest.file}.json" in names:
                self._events.text("checkpoints", manifest.step, manifest.file)
        prune(self._run_dir.checkpoints, self._checkpointing)

    def _take_what_is_missing(self) -> None:
        """What the attempt before has logged in the moment in which it was killed."""
        if self._attempt.number == 1:
            return
        former = self._run_dir.attempt(self._attempt.number - 1)
        logged = list(_rows(LineTail(former.logged).read(is_whole=True), former.number))
        taken = sum(row.attempt == former.number for row in _all_rows(self._run_dir))
        if missing := logged[taken:]:
            since = missing[0].step - 1 if taken == 0 and self._run_dir.metrics.exists() else None
            writer = JournalWriter(self._run_dir.metrics, former.number, since)
            for row in missing:
                writer.append_row(row)
            writer.close()


def row_of(record: Mapping[str, Any], attempt: int, step: int, epoch: int) -> Row | None:
    """A line of a script as a row of the journal; None where it has no number.

    Args:
        step, epoch: of the line before, where this one has none.
    """
    numbers = {key: _number(value) for key, value in record.items() if key not in _OWN}
    values = {key: number for key, number in numbers.items() if number is not None}
    if not values:
        return None
    said = _number(record.get("time"))
    when = said if said is not None and math.isfinite(said) else time.time()
    return Row(attempt, _whole(record, "step", step), _whole(record, "epoch", epoch), when, values)


def _rows(records: Iterable[Mapping[str, Any]], attempt: int) -> Iterator[Row]:
    step = epoch = 0
    for record in records:
        row = row_of(record, attempt, step, epoch)
        if row is not None:
            step, epoch = row.step, row.epoch
            yield row


def _all_rows(run_dir: RunDir) -> list[Row]:
    return read_journal(run_dir.metrics)


def _number(value: object) -> float | None:
    """A value as the journal has it; None where it is none."""
    if not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        # A whole number has no bounds in JSON, nor in Python.
        return math.inf if value > 0 else -math.inf


def _whole(record: Mapping[str, Any], key: str, otherwise: int) -> int:
    return int(record[key]) if _names(record, key) else otherwise


def _names(record: Mapping[str, Any], key: str) -> bool:
    value = record.get(key)
    return type(value) is int and 0 <= value <= _MOST_STEPS
