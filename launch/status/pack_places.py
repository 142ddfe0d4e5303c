"""Where the experiments of an array of packs are: any of its allocations may have or draw one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from launch.slurm.queue import Queue, Task
from launch.slurm.reasons import why_waiting
from launch.status.derive import INTERRUPTED, AttemptFacts, Phase, Place
from launch.store.claims import Claims, Hold, Standing
from launch.store.submissions import Submission


class Seen(Enum):
    """What there is to say of an experiment where no place can be told."""

    ENDED = "ended"
    """None of the allocations is there any more that might draw it, as far as is known."""


@dataclass(frozen=True)
class PackPlaces:
    """One array, as a look at the queue has found it.

    Attributes:
        job: the array's id.
        open: the tasks that wait or run.
    """

    submission: Submission
    job: str
    open: Sequence[Task]
    _standings: dict[int, dict[str, Standing]] = field(default_factory=dict)

    @classmethod
    def look(cls, submission: Submission, queue: Queue, task_id: str) -> "PackPlaces":
        """The array that a task belongs to."""
        job = task_id.partition("_")[0]
        tasks = (
            queue.find(f"{job}_{index}", submission.token, cluster)
            for cluster in submission.clusters
            for index in range(submission.tasks)
        )
        return cls(submission, job, [task for task in tasks if task and not task.is_ended])

    def is_its(self, attempt: AttemptFacts) -> bool:
        """Whether one of its allocations has made an attempt."""
        is_its_job = attempt.job is not None and attempt.job.partition("_")[0] == self.job
        return is_its_job and attempt.started > self.submission.time

    def place(
        self, experiment_id: str, task: int, attempt: AttemptFacts | None
    ) -> "Place | Seen | None":
        """Where an experiment is; None where its attempt says all there is to say.

        Args:
            task: the one that draws it first.
            attempt: the newest, if it is of one of its allocations.
        """
        if attempt is not None:
            return self._place_after(experiment_id, task, attempt)
        standing = self._standing(experiment_id, task)
        if standing.hold is Hold.OVER:
            return self._place_of_refused(experiment_id, standing)
        holder = self._holder(experiment_id, standing)
        if holder is not None:
            return Place(Phase.RUNNING, holder.id)
        return self._waiting(f"{self.job}_{task}")

    def _place_after(
        self, experiment_id: str, task: int, attempt: AttemptFacts
    ) -> "Place | Seen | None":
        """As `place`, of one that has made an attempt."""
        job = str(attempt.job)
        if attempt.is_alive:
            return self._place_of_living(attempt)
        has_word = attempt.is_stopped or attempt.failure is not None or attempt.verdict is not None
        if has_word and not attempt.comes_back:
            return None
        if not attempt.comes_back and self._standing(experiment_id, task).hold is Hold.OVER:
            return None
        return self._waiting(job, attempt.restarts)

    def _place_of_living(self, attempt: AttemptFacts) -> "Place | Seen":
        for task in self.open:
            if task.id == attempt.job and task.is_running:
                return Place(Phase.RUNNING, task.id, task.restarts)
        return Seen.ENDED

    def _place_of_refused(self, experiment_id: str, standing: Standing) -> Place | None:
        claims = Claims(self.submission)
        claim, end = (
            claims.read(experiment_id, standing.number),
            claims.read_end(experiment_id, standing.number),
        )
        if claim is None or end is None or not end.detail:
            return None
        return Place(Phase.OVER, claim.job, trace=end.detail)

    def _holder(self, experiment_id: str, standing: Standing) -> Task | None:
        """The running allocation that has claimed it; None if it is free."""
        if standing.hold is not Hold.HELD:
            return None
        claim = Claims(self.submission).read(experiment_id, standing.number)
        running = (task for task in self.open if task.is_running)
        return next((task for task in running if claim and task.id == claim.job), None)

    def _waiting(self, task_id: str, restarts: int = 0) -> "Place | Seen":
        """Of one that waits for its turn.

        Args:
            task_id: of the allocation that had it, else of the one that draws it first.
        """
        if any(task.is_running for task in self.open):
            detail = f"waits for its turn in job {self.job}"
            return Place(Phase.WAITING, task_id, restarts, detail=detail)
        for task in sorted(self.open, key=lambda task: task.id != task_id):
            why = why_waiting(task.state, task.reason, task.restarts)
            return Place(Phase.WAITING, task_id, restarts, detail=why, expected_start=task.start)
        return Seen.ENDED

    def _standing(self, experiment_id: str, task: int) -> Standing:
        if task not in self._standings:
            self._standings[task] = Claims(self.submission).standings(task)
        return self._standings[task].get(experiment_id, Standing())


def before_its_turn(place: Place, job: str) -> Place:
    """The place of one that made no attempt: its job may have ended, and had begun others."""
    if place.phase not in (Phase.GONE, Phase.OVER) or place.word in INTERRUPTED:
        return place
    why = [] if place.word == "COMPLETED" else [place.word, place.detail]
    said = filter(None, [f"job {job} ended before its turn came", *why])
    return replace(place, trace=": ".join(said))
