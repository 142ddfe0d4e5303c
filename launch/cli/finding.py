"""What the words on the command line stand for: sweeps and experiments of the store."""

import math
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pcm.errors import NotFoundError

if TYPE_CHECKING:
    from launch.slurm.queue import Queue
    from launch.status.state import Line
    from launch.store import Experiment, Store

QUEUE_INTERVAL_S = 10.0
"""Between two questions to Slurm."""


def open_store(runs_dir: Path | None) -> "Store":
    """The store at the runs folder of the command line."""
    from launch.store import Store, runs_root

    return Store(runs_root(runs_dir))


def find_experiments(store: "Store", words: Sequence[str]) -> "list[Experiment]":
    """The experiments that the words name, each once; all of them for no words.

    A word is a sweep's name, an experiment's id or name, or a unique beginning.

    Raises:
        NotFoundError: a word stands for nothing.
        UsageError: a word stands for several things.
    """
    if not words:
        return store.experiments()
    found = (experiment for word in words for experiment in _named(store, word))
    return list({experiment.id: experiment for experiment in found}.values())


def _named(store: "Store", word: str) -> "Iterable[Experiment]":
    if any(sweep.name == word for sweep in store.sweeps()):
        return store.experiments(word)
    with suppress(NotFoundError):
        return [store.find(word)]
    try:
        return store.experiments(store.find_sweep(word).name)
    except NotFoundError as error:
        raise NotFoundError(f"no sweep or experiment '{word}'", error.hint) from None


def lines_of(experiments: "Sequence[Experiment]") -> "list[Line]":
    """The experiments and where they stand now; says so where Slurm can't be asked."""
    return Looking().lines(experiments)


class Looking:
    """Looks at experiments as often as one wants, and bothers Slurm now and then only.

    Args:
        interval_s: between two questions to Slurm.
    """

    def __init__(self, interval_s: float = QUEUE_INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._queue: Queue | None = None
        self._asked = -math.inf

    @property
    def warning(self) -> str | None:
        """What is missing in the last look; None if nothing is."""
        if self._queue is None or self._queue.trouble is None:
            return None
        return f"Slurm does not answer, so this is what the files tell ({self._queue.trouble})"

    def forget(self) -> None:
        """Ask Slurm anew at the next look."""
        self._asked = -math.inf

    def lines(self, experiments: "Sequence[Experiment]") -> "list[Line]":
        """Where they stand now."""
        from launch.status.facts import read_statuses
        from launch.status.state import Line

        statuses = read_statuses(experiments, self._fresh_queue(experiments))
        return [Line(each.id, each.name, statuses[each.id]) for each in experiments]

    def _fresh_queue(self, experiments: "Sequence[Experiment]") -> "Queue":
        from launch.status.places import queue_for

        if self._queue is None or time.monotonic() > self._asked + self._interval_s:
            former, self._queue = self.warning, queue_for(experiments)
            # From the answer on: a Slurm that is down takes its time to say nothing.
            self._asked = time.monotonic()
            if self.warning not in (None, former):
                typer.echo(f"warning: {self.warning}", err=True)
        return self._queue
