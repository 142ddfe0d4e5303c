"""When checkpoints are due, besides a stop and the end."""

import math
import time
from collections.abc import Mapping, Sequence

from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord, ProgressRecord
from pcm.run_dir.checkpoint_interval import Interval, Unit
from pcm.run_dir.checkpointing import Checkpointing, Mode, monitored_value
from pcm.run_dir.typed_json import read

SHORTEST_S, LONGEST_S = 60.0, 1800.0
"""Bounds of the interval that is chosen by cost."""

FIRST_COST_S = 1.0
"""What a checkpoint costs, until one has been taken."""

DAY_S = 86_400.0

RETRY_SHARE = 0.1
"""Of the interval, after which one that failed is tried again."""


class Schedule:
    """When the next checkpoint is due; only rank 0's counts, but for `takes_epoch`.

    Args:
        wanted: what the files say.
        minutes: between two checkpoints inside an epoch, with one at each epoch's end besides;
            None goes by `wanted.every`.
        between_interruptions: seconds that training can expect to be left alone.
        best: the best monitored value so far.
        step: where training starts.
    """

    def __init__(
        self,
        wanted: Checkpointing,
        *,
        minutes: float | None = None,
        between_interruptions: float = DAY_S,
        best: float | None = None,
        step: int = 0,
    ) -> None:
        self._wanted = wanted
        self._every = Interval.parse(wanted.every)
        self._takes_all_epochs = minutes is not None
        self._between_interruptions = between_interruptions
        self._cost = FIRST_COST_S
        self._minutes = minutes
        self._best = best
        self._is_best_unsaved = False
        self._step = step
        self._due = time.monotonic() + self.period

    @property
    def period(self) -> float:
        """Seconds between two by the clock; inf where it doesn't count."""
        if self._minutes is not None:
            return 60 * self._minutes
        if self._every.unit is Unit.AUTO:
            return cheapest_interval(self._cost, self._between_interruptions)
        return 60 * self._every.count if self._every.unit is Unit.MINUTES else math.inf

    def is_due(self, step: int) -> bool:
        """Whether one is to be taken here."""
        by_steps = self._every.unit is Unit.STEPS and not self._takes_all_epochs
        is_far = by_steps and step - self._step >= self._every.count
        return is_far or self._is_best_unsaved or time.monotonic() >= self._due

    def takes_epoch(self, epochs: int) -> bool:
        """Whether the end of this epoch, of so many, has one whatever else; on all ranks alike."""
        if self._takes_all_epochs:
            return True
        return self._every.unit is Unit.EPOCHS and epochs % int(self._every.count) == 0

    def note_validation(self, metrics: Mapping[str, float]) -> None:
        """Have the next checkpoint taken soon if this is the best so far."""
        value = monitored_value(metrics, self._wanted.monitored)
        if self._wanted.keep_best == 0 or value is None:
            return
        if self._best is None or _is_better(value, self._best, self._wanted.mode):
            self._best = value
            self._is_best_unsaved = True

    def note_begun(self, step: int) -> None:
        """One is being taken here."""
        self._step = step
        self._is_best_unsaved = False
        self._due = time.monotonic() + self.period

    def note_cost(self, seconds: float) -> None:
        """Training stood still for one for so long."""
        self._cost = seconds

    def note_end(self, *, is_saved: bool) -> None:
        """One is on the disk; or could not be put there, and is tried again much sooner."""
        pause = self.period if is_saved else RETRY_SHARE * min(self.period, LONGEST_S)
        self._due = time.monotonic() + pause


def cheapest_interval(cost: float, between_interruptions: float) -> float:
    """Seconds between checkpoints that lose the least time to them and to interruptions.

    Args:
        cost: seconds that training stands still for one.
        between_interruptions: seconds, in the mean.

    Young, "A first order approximation to the optimum checkpoint interval" (1974); Daly's higher
    orders (2006) differ where the cost isn't small against the time between interruptions.
    """
    return min(LONGEST_S, max(SHORTEST_S, math.sqrt(2 * cost * between_interruptions)))


def mean_between_interruptions(earlier: Sequence[AttemptDir]) -> float:
    """Seconds that attempts of this experiment were left alone, one day without an interruption
    added to what is known of them.

    Args:
        earlier: the attempts before this one, each of which something has ended.
    """
    return (DAY_S + sum(map(_seconds, earlier))) / (1 + len(earlier))


def _seconds(attempt: AttemptDir) -> float:
    """How long an attempt trained."""
    begun, last = read(AttemptRecord, attempt.attempt), read(ProgressRecord, attempt.progress)
    started = begun.started if isinstance(begun, AttemptRecord) else None
    ended = last.time if isinstance(last, ProgressRecord) else None
    return 0.0 if started is None or ended is None else max(0.0, ended - started)


def _is_better(one: float, other: float, mode: Mode) -> bool:
    return one > other if mode is Mode.MAX else one < other
