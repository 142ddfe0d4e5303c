"""Which experiment an allocation takes next."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from launch.pack.holders import Holders
from launch.slurm.listing import read_array
from launch.store import RunsRoot
from launch.store.claims import Claims, Hold, Standing
from launch.store.host_records import ClaimRecord
from launch.store.records import newest_attempt
from launch.store.submissions import index_of
from launch.supervisor.job import Job

PAUSE_S = 10.0
"""Before another look through the list in which nothing was free."""

ASK_PAUSE_S = 60.0
"""Before Slurm is asked again which allocations have ended, while others run here."""

PAUSE_PER_TASK_S = 0.5
"""A long list is many folders, and as many allocations look."""


@dataclass(frozen=True, slots=True)
class Draw:
    """An experiment that this allocation has.

    Attributes:
        number: of the claim.
    """

    id: str
    number: int


class Drawing:
    """Draws from the list of an array.

    Its own share comes first, so that allocations seldom want the same; then what the others
    have not begun or have given back, up to `per_job` experiments in all. Beyond that it draws
    what is left of allocations that have ended for good, which nobody else would.

    Args:
        job: this start of this allocation.
        drawn: experiments that earlier starts of it have drawn and not given back.
    """

    def __init__(self, claims: Claims, job: Job, drawn: int) -> None:
        self._claims = claims
        self._submission = claims.submission
        assert self._submission.pack is not None
        self._per_job = self._submission.pack.per_job
        self._job = job
        self._task = index_of(job.id)
        self._root = RunsRoot(self._submission.files.launch.root)
        self._holders = Holders(claims, job)
        self._exhausted: set[int] = set()
        self._returned: set[str] = set()
        self._looked = -float("inf")
        self._asked = -float("inf")
        self._owed: list[Callable[[], None]] = []
        self.drawn = drawn

    def next(self) -> Draw | None:
        """Take an experiment; None if there is none now, as far as a look a while ago has shown.

        Raises:
            OSError: claims can't be read or written.
        """
        self._write_owed()
        if not self._is_over(PAUSE_S, since=self._looked):
            return None
        draw = self._first(self._within_share())
        if draw is None:
            self._looked = time.monotonic()
        return draw

    def last(self, *, at_once: bool) -> Draw | None:
        """Take one that nobody else would; for when nothing else is left.

        Args:
            at_once: whether to look even if there was none a while ago.
        """
        if not at_once and not self._is_over(ASK_PAUSE_S, since=self._asked):
            return None
        draw = self._first(self._left_behind())
        # There may be more where one was left.
        self._asked = time.monotonic() if draw is None else -float("inf")
        return draw

    def _is_over(self, pause_s: float, *, since: float) -> bool:
        return time.monotonic() >= since + pause_s + PAUSE_PER_TASK_S * self._submission.tasks

    def give_back(self, draw: Draw) -> None:
        """Let others, or this one, draw it again."""
        self._returned.add(draw.id)
        self.drawn -= 1
        self._looked = -float("inf")
        self._owed.append(partial(self._claims.give_back, draw.id, draw.number))
        self._write_owed()

    def close(self, draw: Draw, detail: str = "") -> None:
        """Let nobody draw it again.

        Args:
            detail: why it made no attempt, if so.
        """
        self._owed.append(partial(self._claims.close, draw.id, draw.number, detail))
        self._write_owed()

    def _write_owed(self) -> None:
        """What a full disk had no room for is written before anything else is drawn."""
        while self._owed:
            self._owed[0]()
            self._owed.pop(0)

    def is_left(self) -> bool:
        """Whether another start of this allocation would have something to do."""
        with suppress(OSError):
            self._write_owed()
        # By its claims that it could not end, another start sees that this one is over.
        return bool(self._owed) or next(self._left(), None) is not None

    def take_what_is_left(self) -> Iterator[Draw]:
        """Take all that another start of this allocation would have had to do.

        Raises:
            OSError: claims can't be read or written.
        """
        return self._taken(self._left())

    def _left(self) -> Iterator[tuple[str, Standing]]:
        """Of its own share, of what it has given back, and of what nobody else would draw."""
        for task in sorted({self._task, *map(self._claims.task_of, self._returned)}):
            for experiment_id, standing in self._open(task):
                is_its = task == self._task or experiment_id in self._returned
                if is_its and self._is_to_be_had(experiment_id, standing):
                    yield experiment_id, standing
        yield from self._left_behind()

    def _first(self, candidates: Iterator[tuple[str, Standing]]) -> Draw | None:
        return next(self._taken(candidates), None)

    def _taken(self, candidates: Iterator[tuple[str, Standing]]) -> Iterator[Draw]:
        for experiment_id, standing in candidates:
            number = self._claims.take(experiment_id, standing, self._job.id, self._job.key)
            if number is None:
                continue
            if self._is_settled(experiment_id):
                self._claims.close(experiment_id, number)
                continue
            self.drawn += 1
            yield Draw(experiment_id, number)

    def _within_share(self) -> Iterator[tuple[str, Standing]]:
        tasks = self._submission.tasks
        for step in range(tasks):
            if step and self.drawn >= self._per_job:
                return
            for experiment_id, standing in self._open((self._task + step) % tasks):
                if self._is_to_be_had(experiment_id, standing):
                    yield experiment_id, standing

    def _left_behind(self) -> Iterator[tuple[str, Standing]]:
        ended = self._ended_tasks()
        for task in range(self._submission.tasks) if ended else ():
            for experiment_id, standing in self._open(task):
                if standing.hold is Hold.FREE:
                    is_left = task in ended
                else:
                    claim = self._claim(experiment_id, standing)
                    is_left = claim is not None and _index(claim) in ended
                if is_left:
                    yield experiment_id, standing

    def _open(self, task: int) -> Iterator[tuple[str, Standing]]:
        """What is not over of what a task draws first."""
        if task in self._exhausted:
            return
        standings = self._claims.standings(task)
        left = {id_: each for id_, each in standings.items() if each.hold is not Hold.OVER}
        if not left:
            self._exhausted.add(task)
        yield from left.items()

    def _ended_tasks(self) -> set[int]:
        """The other tasks that never run again; none where Slurm gives no answer."""
        listed = read_array(self._job.id.partition("_")[0])
        if listed is None:
            return set()
        alive = {_single_index(task.id) for task in listed if not task.is_ended}
        return set(range(self._submission.tasks)) - alive - {self._task}

    def _is_to_be_had(self, experiment_id: str, standing: Standing) -> bool:
        """Whether it is free, or who had it is dead."""
        if standing.hold is not Hold.HELD:
            return standing.hold is Hold.FREE
        claim = self._claim(experiment_id, standing)
        return claim is not None and self._holders.is_dead(claim)

    def _claim(self, experiment_id: str, standing: Standing) -> ClaimRecord | None:
        return self._claims.read(experiment_id, standing.number)

    def _is_settled(self, experiment_id: str) -> bool:
        """Whether nothing is to be done about it: it is cancelled, or done elsewhere."""
        if self._root.cancelled(experiment_id).exists():
            return True
        files = newest_attempt(self._root.run_dir(experiment_id))
        return files is not None and files.finished.exists()


def _index(claim: ClaimRecord) -> int:
    return _single_index(claim.job)


def _single_index(task_id: str) -> int:
    """As `index_of`; -1 for what is no single task, such as a range of them that waits."""
    index = task_id.partition("_")[2]
    return int(index) if index.isdecimal() else -1
