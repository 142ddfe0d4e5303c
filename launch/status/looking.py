"""Looking at experiments again and again without bothering Slurm each time."""

import math
import time
from collections.abc import Sequence

from launch.slurm.queue import Queue
from launch.status.queues import queue_for
from launch.status.state import Line
from launch.status.statuses import Look, look
from launch.store import Experiment
from launch.telling import Tell, say_nothing

QUEUE_INTERVAL_S = 10.0
"""Between two questions to Slurm."""


def lines_of(experiments: Sequence[Experiment], tell: Tell = say_nothing) -> list[Line]:
    """The experiments and where they stand now.

    Args:
        tell: called with what is missing where Slurm can't be asked.
    """
    return Looking(tell).lines(experiments)


class Looking:
    """Looks at experiments as often as one wants, and asks Slurm now and then only.

    What Slurm says of jobs that have ended is written down, since it says so for minutes only.

    Args:
        tell: called once with each new reason why something is missing.
        interval_s: between two questions to Slurm.
    """

    def __init__(self, tell: Tell = say_nothing, interval_s: float = QUEUE_INTERVAL_S) -> None:
        self._tell = tell
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

    def lines(self, experiments: Sequence[Experiment], *, with_progress: bool = True) -> list[Line]:
        """Where they stand now.

        Args:
            with_progress: whether to read how far each is; see `launch.status.progress` for later.
        """
        queue, is_new = self._fresh_queue(experiments)
        found = look(experiments, queue, with_progress=with_progress)
        if is_new:
            found = self._asked_further(experiments, queue, found)
        statuses = found.statuses
        return [Line(each.id, each.name, statuses[each.id]) for each in experiments]

    def _fresh_queue(self, experiments: Sequence[Experiment]) -> tuple[Queue, bool]:
        """What Slurm says, and whether it has said so just now."""
        if self._queue is not None and time.monotonic() <= self._asked + self._interval_s:
            return self._queue, False
        former, self._queue = self.warning, queue_for(experiments)
        # From the answer on: a Slurm that is down takes its time to say nothing.
        self._asked = time.monotonic()
        if self.warning not in (None, former):
            self._tell(f"warning: {self.warning}")
        return self._queue, True

    def _asked_further(self, experiments: Sequence[Experiment], queue: Queue, found: Look) -> Look:
        """With what Slurm tells of what its list does not name."""
        if not found.unexplained and not found.ended:
            return found
        from launch.status.inquiry import inquire, keep

        if not found.unexplained:
            keep(found.ended, ())
            return found
        answers = inquire(found.unexplained.values())
        self._queue = queue.with_tasks(answers.tasks)
        again = look([each for each in experiments if each.id in found.unexplained], self._queue)
        keep([*found.ended, *again.ended], answers.forgotten)
        return Look(found.statuses | again.statuses, found.ended, again.unexplained)
