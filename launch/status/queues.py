"""Where experiments are in the queues: of local launchers, and of Slurm."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from launch.damage import whole
from launch.slurm.queue import NOT_ASKED, Queue, Task, meaning, read_queue
from launch.status.derive import AttemptFacts, Phase, Place
from launch.store import Experiment, RunsRoot
from launch.store.local_queues import queued_ids
from launch.store.records import names_in
from launch.store.refusals import Refusal
from launch.store.submissions import Submission, all_submissions, read_unsubmitted
from pcm.run_dir.typed_json import read


@dataclass(frozen=True, slots=True)
class HandedOver:
    """An experiment that was handed to Slurm.

    Attributes:
        index: of its task in the array.
    """

    submission: Submission
    index: int

    def task(self, queue: Queue) -> Task | None:
        """Its task in the queue; None if it isn't there."""
        task_id = self.task_id(queue)
        return None if task_id is None else queue.find(task_id, self.submission.token)

    def task_id(self, queue: Queue) -> str | None:
        """Slurm's id of its task; None if Slurm has not taken it, as far as is known."""
        job = self.submission.job_id
        if job is None and not self.submission.is_settled:
            job = queue.jobs.get(self.submission.token)
        return None if job is None else f"{job}_{self.index}"


@dataclass(frozen=True)
class Places:
    """All queues at one moment.

    Attributes:
        local: experiments that wait for a local launcher.
        handed_over: the newest hand-over to Slurm of each experiment that had one.
        queue: what Slurm says.
        unsubmitted: why Slurm hasn't got an experiment that was meant for it.
    """

    local: Collection[str]
    handed_over: Mapping[str, HandedOver]
    queue: Queue
    unsubmitted: Mapping[str, str] = field(default_factory=dict)
    _listings: dict[Path, list[str]] = field(default_factory=dict, repr=False)

    def of(self, experiment_id: str, attempt: AttemptFacts | None) -> Place | None:
        """The place of an experiment's newest job; None if there is none that counts.

        Args:
            attempt: its newest.
        """
        if experiment_id in self.local:
            return Place(Phase.WAITING)
        handed_over = self.handed_over.get(experiment_id)
        if handed_over is None:
            return None
        task_id = handed_over.task_id(self.queue)
        if task_id is None:
            return None
        place = _place(self.queue, task_id, handed_over.submission.token)
        if attempt is not None and attempt.job == task_id:
            return place
        # Somebody may have gone on with it on another machine since.
        is_before = attempt is not None and attempt.started > handed_over.submission.time
        if place.phase in (Phase.GONE, Phase.OVER) and not is_before:
            return replace(place, trace=self._trace(handed_over.submission, task_id))
        is_open = place.phase in (Phase.WAITING, Phase.RUNNING)
        return place if is_open or not is_before else None

    def _trace(self, submission: Submission, task_id: str) -> str | None:
        """What is left of a task that has made no attempt: a refusal, or at least its output."""
        refusals = self._beginning(submission.files.launch.jobs, f"refused-{task_id}-")
        if refusals:
            refusal = whole(read(Refusal, refusals[-1]))
            return refusal.message if refusal is not None else f"see {refusals[-1]}"
        logs = self._beginning(submission.files.path, f"{task_id}_")
        return f"its job ended before training began; see {logs[0]}" if logs else None

    def _beginning(self, folder: Path, prefix: str) -> list[Path]:
        """Files whose names begin so; each folder is read once."""
        if folder not in self._listings:
            self._listings[folder] = sorted(names_in(folder))
        names = self._listings[folder]
        start = bisect_left(names, prefix)
        return [
            folder / name for name in takewhile(lambda name: name.startswith(prefix), names[start:])
        ]


def read_places(root: RunsRoot, ids: Collection[str], queue: Queue | None = None) -> Places:
    """Look into all queues.

    Args:
        ids: the experiments that matter.
        queue: what Slurm says; None asks it, once, if it has ever got one of them.
    """
    # What is handed over while we look must be in the list that Slurm gives after that.
    local = queued_ids(root)
    handed_over = newest_hand_overs(root, ids)
    if queue is None:
        queue = queue_for_hand_overs(handed_over.values())
    return Places(local, handed_over, queue, read_unsubmitted(root))


def newest_hand_overs(root: RunsRoot, ids: Collection[str]) -> dict[str, HandedOver]:
    """The newest hand-over to Slurm of each of these experiments that had one."""
    wanted = frozenset(ids)
    return {
        experiment_id: HandedOver(submission, index)
        for submission in sorted(all_submissions(root), key=lambda each: each.time)
        if submission.job_id is not None or not submission.is_settled
        for index, experiment_id in enumerate(submission.array)
        if experiment_id in wanted
    }


def queue_for(experiments: Sequence[Experiment]) -> Queue:
    """Slurm's queue, as far as these experiments need it; nobody is asked for none of them."""
    ids = [each.id for each in experiments]
    roots = {RunsRoot(launch.root) for launch in {each.launch for each in experiments}}
    return queue_for_hand_overs(
        each for root in roots for each in newest_hand_overs(root, ids).values()
    )


def queue_for_hand_overs(handed_over: Iterable[HandedOver]) -> Queue:
    """As `queue_for`, for what is known of their hand-overs already."""
    submissions = {each.submission.token: each.submission for each in handed_over}
    # Whose jobs they are: a colleague may look at them too.
    owners = {each.files.path.stat().st_uid for each in submissions.values()}
    return read_queue(owners) if owners else NOT_ASKED


def _place(queue: Queue, task_id: str, token: str) -> Place:
    task = queue.find(task_id, token)
    if task is None:
        detail = "Slurm does not answer" if queue.trouble else ""
        return Place(Phase.GONE if queue.is_known else Phase.UNKNOWN, task_id, detail=detail)
    if task.is_ended:
        return Place(Phase.OVER, task_id, word=task.state)
    if task.is_running:
        return Place(Phase.RUNNING, task_id, task.restarts)
    return Place(Phase.WAITING, task_id, task.restarts, "", meaning(task.reason), task.start)
