"""Where experiments are in the queues: of local launchers, and of Slurm."""

import os
import time
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from launch.damage import whole
from launch.slurm.absence import taken_out
from launch.slurm.queue import NOT_ASKED, Queue, Task, read_queue
from launch.slurm.reasons import meaning, why_idle, why_waiting
from launch.status.derive import AttemptFacts, Phase, Place
from launch.store import Experiment, RunsRoot, launches_of
from launch.store.local_queues import queued_ids
from launch.store.records import names_in
from launch.store.refusals import Refusal
from launch.store.submissions import Submission, all_submissions, index_of, read_unsubmitted
from launch.store.words import FORGOTTEN, LastWord, read_words
from pcm.run_dir.typed_json import read

if TYPE_CHECKING:
    from launch.status.pack_places import PackPlaces

MEMORY_S = 300.0
"""So long after its end a job is in Slurm's list, unless a site has another MinJobAge."""

NOT_LISTED = "Slurm does not list it"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """An experiment that was handed to Slurm.

    Attributes:
        index: of its task in the array; in a pack, of the task that draws it first.
    """

    submission: Submission
    index: int

    def task(self, queue: Queue) -> Task | None:
        """Its task in the queue; None if it isn't there."""
        task_id = self.task_id(queue)
        return None if task_id is None else _find(queue, self.submission, task_id)

    def task_id(self, queue: Queue) -> str | None:
        """Slurm's id of its task; None if Slurm has not taken it, as far as is known."""
        job = self.submission.job_id
        if job is None and not self.submission.is_settled:
            job = queue.jobs.get(self.submission.token)
        return None if job is None else f"{job}_{self.index}"

    @property
    def is_new(self) -> bool:
        """Whether Slurm, or what a site has put before its squeue, may not list it yet."""
        return time.time() - self.submission.settled < MEMORY_S

    @property
    def is_ours(self) -> bool:
        """Whether it is a job of the user who looks."""
        return self.submission.owner == os.getuid()


@dataclass(frozen=True)
class Places:
    """All queues at one moment.

    Attributes:
        local: experiments that wait for a local launcher.
        handed_over: the newest hand-over to Slurm of each experiment that had one.
        queue: what Slurm says.
        unsubmitted: why Slurm hasn't got an experiment that was meant for it.
        ended: what the queue says of tasks that have ended, as far as that was looked for.
    """

    local: Collection[str]
    handed_over: Mapping[str, HandedOver]
    queue: Queue
    unsubmitted: Mapping[str, str] = field(default_factory=dict)
    ended: list[tuple[HandedOver, LastWord]] = field(default_factory=list)
    _packs: dict[str, "PackPlaces"] = field(default_factory=dict, repr=False)
    _listings: dict[Path, list[str]] = field(default_factory=dict, repr=False)
    _kept: dict[str, dict[int, LastWord]] = field(default_factory=dict, repr=False)

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
        # Somebody may have gone on with it on another machine since.
        is_before = attempt is not None and attempt.started > handed_over.submission.time
        task_id = handed_over.task_id(self.queue)
        if task_id is None:
            return None if is_before else _half_known(handed_over, attempt)
        if handed_over.submission.pack is not None:
            return self._place_in_pack(experiment_id, handed_over, task_id, attempt)
        return self._place_alone(handed_over, task_id, attempt, is_before=is_before)

    def _place_alone(
        self,
        handed_over: HandedOver,
        task_id: str,
        attempt: AttemptFacts | None,
        *,
        is_before: bool,
    ) -> Place | None:
        """Of one that has a task of its own.

        Args:
            is_before: whether the hand-over came before the attempt.
        """
        if attempt is not None and attempt.job == task_id:
            return self._place(handed_over, task_id, attempt)
        place = self._place(handed_over, task_id, attempt if is_before else None)
        if place.phase in (Phase.GONE, Phase.OVER) and not is_before:
            return replace(place, trace=self._trace(handed_over.submission, task_id))
        is_open = place.phase in (Phase.WAITING, Phase.RUNNING)
        return place if is_open or not is_before else None

    def is_asked_for(self, experiment_id: str) -> bool:
        """Whether somebody has asked Slurm further for its newest job, and learnt nothing."""
        word = self._kept_word(self.handed_over[experiment_id])
        return word is not None and word.is_final

    def _place_in_pack(
        self,
        experiment_id: str,
        handed_over: HandedOver,
        task_id: str,
        attempt: AttemptFacts | None,
    ) -> Place | None:
        # Reads claims, which other arrays have none of.
        from launch.status.pack_places import PackPlaces, Seen, before_its_turn

        array = self._packs.get(handed_over.submission.token)
        if array is None:
            array = PackPlaces.look(handed_over.submission, self.queue, task_id)
            self._packs[handed_over.submission.token] = array
        mine = attempt if attempt is not None and array.is_its(attempt) else None
        if mine is None and attempt is not None and attempt.started > handed_over.submission.time:
            # Somebody has gone on with it elsewhere.
            return None
        seen = array.place(experiment_id, handed_over.index, mine)
        if seen is not Seen.ENDED:
            return seen
        if mine is not None and mine.job is not None:
            handed_over, task_id = replace(handed_over, index=index_of(mine.job)), mine.job
        place = self._place(handed_over, task_id, mine)
        return before_its_turn(place, array.job) if mine is None else place

    def _place(self, handed_over: HandedOver, task_id: str, attempt: AttemptFacts | None) -> Place:
        """Where its task is.

        Args:
            attempt: the newest, where it is of this task or came after it.
        """
        task = self._task(handed_over, task_id, has_begun=attempt is not None)
        if task is None:
            return self._place_of_unlisted(handed_over, task_id, attempt)
        if task.is_ended:
            word = LastWord(task.state, task.reason, task.restarts)
            self.ended.append((handed_over, word))
            return _over(task_id, word)
        if task.is_running:
            return Place(Phase.RUNNING, task_id, task.restarts, detail=why_idle(task.state))
        why = why_waiting(task.state, task.reason, task.restarts)
        return Place(Phase.WAITING, task_id, task.restarts, "", why, task.start)

    def _task(self, handed_over: HandedOver, task_id: str, *, has_begun: bool) -> Task | None:
        task = _find(self.queue, handed_over.submission, task_id)
        if task is not None or has_begun:
            return task
        submission = handed_over.submission
        for cluster in submission.clusters:
            wanted = Task(task_id, "", token=submission.token, cluster=cluster)
            task = task or taken_out(self.queue, wanted, is_new=handed_over.is_new)
        return task

    def _place_of_unlisted(
        self, handed_over: HandedOver, task_id: str, attempt: AttemptFacts | None
    ) -> Place:
        word = self._kept_word(handed_over)
        # One that was seen to end and sent back has made an attempt since.
        least = 0 if attempt is None else attempt.restarts
        if word is not None and word.state != FORGOTTEN and word.restarts >= least:
            return _over(task_id, word)
        if not all(map(self.queue.knows, handed_over.submission.clusters)):
            detail = "Slurm does not answer" if self.queue.trouble else ""
            return Place(Phase.UNKNOWN, task_id, detail=detail)
        if handed_over.is_new or not handed_over.is_ours:
            return Place(Phase.UNLISTED, task_id, detail=NOT_LISTED)
        return Place(Phase.GONE, task_id)

    def _kept_word(self, handed_over: HandedOver) -> LastWord | None:
        files = handed_over.submission.files
        if files.token not in self._kept:
            self._kept[files.token] = read_words(files)
        return self._kept[files.token].get(handed_over.index)

    def _trace(self, submission: Submission, task_id: str) -> str | None:
        """What is left of a task that has made no attempt: a refusal, or at least its output."""
        launch = submission.files.launch
        refusals = self._beginning(launch.refusals(task_id), f"{task_id}-")
        refusals = refusals or self._beginning(launch.jobs, f"refused-{task_id}-")
        if refusals:
            refusal = whole(read(Refusal, refusals[-1]))
            return refusal.message if refusal is not None else f"see {refusals[-1]}"
        for folder in submission.files.log_folders:
            if logs := self._beginning(folder, f"{task_id}_"):
                return f"its job ended before training began; see {logs[0]}"
        return None

    def _beginning(self, folder: Path, prefix: str) -> list[Path]:
        """Files whose names begin so; each folder is read once."""
        if folder not in self._listings:
            self._listings[folder] = sorted(names_in(folder))
        names = self._listings[folder]
        start = bisect_left(names, prefix)
        return [
            folder / name for name in takewhile(lambda name: name.startswith(prefix), names[start:])
        ]


def _find(queue: Queue, submission: Submission, task_id: str) -> Task | None:
    """A task of an array, wherever Slurm lists it."""
    for cluster in submission.clusters:
        task = queue.find(task_id, submission.token, cluster)
        if task is not None:
            return task
    return None


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
        experiment_id: HandedOver(submission, place // per_task)
        for submission in _that_count(root)
        for per_task in [submission.per_task]
        for place, experiment_id in enumerate(submission.array)
        if experiment_id in wanted
    }


def _that_count(root: RunsRoot) -> list[Submission]:
    """The arrays that Slurm has got, or may have; the newest last."""
    submissions = sorted(all_submissions(root), key=lambda each: each.time)
    return [each for each in submissions if each.job_id is not None or not each.is_settled]


def queue_for(experiments: Sequence[Experiment]) -> Queue:
    """Slurm's queue, as far as these experiments need it; nobody is asked for none of them."""
    ids = frozenset(each.id for each in experiments)
    needed: dict[str, Submission] = {}
    for root in {launch.root for launch in launches_of(experiments)}:
        newest: dict[str, Submission] = {}
        for submission in _that_count(RunsRoot(root)):
            newest.update(dict.fromkeys(submission.array, submission))
        needed |= {newest[each].token: newest[each] for each in ids & newest.keys()}
    return queue_for_submissions(needed.values())


def queue_for_hand_overs(handed_over: Iterable[HandedOver]) -> Queue:
    """As `queue_for`."""
    return queue_for_submissions(
        {each.submission.token: each.submission for each in handed_over}.values()
    )


def queue_for_submissions(submissions: Collection[Submission]) -> Queue:
    """Slurm's queue, as far as these arrays need it: of whose jobs they are, where they are."""
    if not submissions:
        return NOT_ASKED
    # Whose jobs they are: a colleague may look at them too.
    owners = {each.owner for each in submissions}
    clusters = dict.fromkeys(cluster for each in submissions for cluster in each.clusters)
    return read_queue(owners, list(clusters))


def _half_known(handed_over: HandedOver, attempt: AttemptFacts | None) -> Place | None:
    """Of an array of which only its launcher knows, or nobody, whether Slurm took it."""
    if handed_over.is_ours:
        # A supervisor may be handing over a job in place of its own: sbatch takes its time.
        is_on_its_way = attempt is not None and attempt.not_sent_back is not None
        return Place(Phase.UNKNOWN, attempt.job) if attempt is not None and is_on_its_way else None
    return Place(Phase.UNLISTED, detail=f"{NOT_LISTED}; its owner's next launch finds out")


def _over(task_id: str, word: LastWord) -> Place:
    said = "" if word.reason in ("", "None") else meaning(word.reason)
    return Place(Phase.OVER, task_id, word.restarts, word.state, said)
