"""Feeds one tracker from the run directory, each series above its high-water mark."""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pcm.config.document import load_document
from pcm.errors import RefusedError
from pcm.run_dir import RunDir, read_json
from pcm.run_dir.journal import Row, resumed_from, row_in
from pcm.tracking.events import LineTail
from pcm.tracking.flatten import Field, flatten
from pcm.tracking.outcome import Outcome
from pcm.tracking.state import TrackerState, load_state, save_state
from pcm.tracking.system import SystemFigures
from pcm.tracking.tracker import Point, ShowsOutcome, TakesSystem, Tracker, has_found_run

_BATCH = 2000
"""Points between two records of progress."""


_Log = Callable[[str, Sequence[Point]], None]


class Feeder:
    """Brings a tracker up to date with the run directory.

    After an error the feeder can be called again: it reopens the tracker, finds out how
    much of the interrupted batch arrived, and goes on from there.
    """

    def __init__(self, run_dir: RunDir, tracker: Tracker) -> None:
        self._run_dir = run_dir
        self._tracker = tracker
        self._state: TrackerState | None = None
        self._system = SystemFigures(run_dir)
        self._start_over()

    def _start_over(self) -> None:
        """Have all that the run directory holds read again; what was sent has its marks."""
        self._rows = LineTail(self._run_dir.metrics)
        self._events = (LineTail(self._run_dir.events), LineTail(self._run_dir.pictures))
        self._fields: dict[str, Field] = {}
        self._pending: list[tuple[str, Point]] = []

    def feed(self) -> int:
        """Send everything that is new.

        Returns:
            How many points were sent; what the machine does isn't among them.
        """
        try:
            state = self._state = self._state or self._open()
            self._read()
            self._describe()
            log = self._tracker.log
            sent = sum(self._send(state, batch, log) for batch in self._batches(state))
            self._send_system(state)
            return sent
        except BaseException:
            self._state = None
            with suppress(Exception):
                self._tracker.close()
            raise

    def finish(self, outcome: Outcome) -> None:
        """Let the tracker show how training stands, if it is open and shows such things."""
        if self._state is not None and isinstance(self._tracker, ShowsOutcome):
            self._tracker.finish(outcome)

    def close(self) -> None:
        """Close the tracker, if it is open."""
        if self._state is not None:
            self._state = None
            self._tracker.close()

    def _open(self) -> TrackerState:
        state = load_state(self._run_dir.tracker, self._tracker.slot)
        run = self._tracker.open(state.runs)
        if not isinstance(run, str) or not run:
            raise RefusedError(f"its `open` returned {run!r} in place of the id of a run")
        if has_found_run(self._tracker):
            state.is_found, state.marks = True, {}
            # It may hold less than this process has read so far.
            self._start_over()
        if run not in state.runs:
            state.runs.append(run)
        # The id is on disk before the first metric is sent.
        self._save(state)
        self._settle(state)
        self._fields = experiment_fields(self._run_dir) | self._fields
        return state

    def _settle(self, state: TrackerState) -> None:
        """Find out how much arrived of a batch whose sending was cut short."""
        for key, target in state.sending.items():
            held = self._tracker.last_step(key, otherwise=target)
            state.marks[key] = max(state.mark(key), held)
        if state.sending:
            state.sending = {}
            self._save(state)

    def _mark(self, state: TrackerState, key: str) -> int:
        if state.is_found and key not in state.marks:
            state.marks[key] = self._tracker.last_step(key, otherwise=-1)
        return state.mark(key)

    def _read(self) -> None:
        self._pending += metric_points(self._rows.read())
        for event in itertools.chain.from_iterable(tail.read() for tail in self._events):
            # What is no event is left out, as the lines of a journal that are no rows.
            with suppress(KeyError, TypeError):
                self._take(event)
        self._pending.sort(key=lambda item: item[1].step)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["kind"] == "fields":
            self._fields |= event["fields"]
            return
        is_text = event["kind"] == "text"
        value = str(event["text"]) if is_text else self._run_dir.plots / event["file"]
        self._pending.append((event["key"], Point(event["step"], event["time"], value)))

    def _describe(self) -> None:
        if self._fields:
            record = read_json(self._run_dir.experiment) or {}
            self._tracker.describe(self._fields, record.get("tags") or [])
            self._fields = {}

    def _batches(self, state: TrackerState) -> Iterator[dict[str, list[Point]]]:
        """Series of points above the marks; what is pending leaves once its batch is sent."""
        while self._pending:
            batch: defaultdict[str, list[Point]] = defaultdict(list)
            for key, point in itertools.islice(self._pending, _BATCH):
                last = batch[key][-1].step if batch[key] else self._mark(state, key)
                if point.step > last:
                    batch[key].append(point)
            yield {key: points for key, points in batch.items() if points}
            del self._pending[:_BATCH]

    def _send_system(self, state: TrackerState) -> None:
        if isinstance(self._tracker, TakesSystem):
            figures = self._system.read()
            new = {key: [point] for key, point in figures if point.step > self._mark(state, key)}
            self._send(state, new, self._tracker.log_system)

    def _send(self, state: TrackerState, batch: dict[str, list[Point]], log: _Log) -> int:
        if not batch:
            return 0
        state.sending = {key: points[-1].step for key, points in batch.items()}
        self._save(state)
        for key, points in batch.items():
            log(key, points)
        self._tracker.flush()
        state.marks |= state.sending
        state.sending = {}
        self._save(state)
        return sum(map(len, batch.values()))

    def _save(self, state: TrackerState) -> None:
        save_state(self._run_dir.tracker, self._tracker.slot, state)


def metric_points(records: Iterable[dict[str, Any]]) -> list[tuple[str, Point]]:
    """The journal's records as points, by series; no tracker takes a NaN or an infinity.

    Rows that a resumed attempt computes again are left out, and what is no record of a journal,
    as `read_journal` does.
    """
    points: list[tuple[str, Point]] = []
    for record in records:
        try:
            if (resumed := resumed_from(record)) is not None:
                points = [item for item in points if item[1].step <= resumed]
            else:
                points += _points_of(row_in(record))
        except ValueError:
            continue
    return points


def _points_of(row: Row) -> Iterator[tuple[str, Point]]:
    for key, value in row.values.items():
        with suppress(OverflowError):  # a whole number has no bounds in JSON
            if math.isfinite(number := float(value)):
                yield key, Point(row.step, row.time, number)


def experiment_fields(run_dir: RunDir) -> dict[str, Field]:
    """What is known of the experiment before its first step: its config and its origin."""
    experiment = read_json(run_dir.experiment) or {}
    config = load_document(run_dir.config).data if run_dir.config.exists() else {}
    return flatten(experiment, "experiment") | flatten(config, "config")
