"""Asking Slurm further about jobs that its list does not name, and keeping what it says.

An empty list means little: Slurm forgets a job minutes after its end, and centres put caches
before squeue. So the controller is asked for the array itself, and accounting where there is
one. What is learnt is kept, and so is that nobody knows anything: nobody is asked twice.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from launch.slurm.accounting import read_ended
from launch.slurm.listing import read_array
from launch.slurm.queue import Task
from launch.status.queues import HandedOver
from launch.status.statuses import Unexplained
from launch.store.submissions import Submission, SubmissionDir
from launch.store.words import FORGOTTEN, LastWord, keep_words

MOST_ARRAYS = 50
"""So many are asked for at once, the newest first; one takes a hundredth of a second."""

CLOCKS_S = 120.0
"""The clocks of two machines may differ by so much."""


@dataclass(slots=True)
class Answers:
    """What was learnt.

    Attributes:
        tasks: what Slurm knows after all.
        forgotten: what it knows nothing of, and was handed over long ago.
    """

    tasks: list[Task] = field(default_factory=list)
    forgotten: list[HandedOver] = field(default_factory=list)


def inquire(questions: Iterable[Unexplained]) -> Answers:
    """Ask the controller for each array, then accounting for all that it does not know."""
    answers = Answers()
    arrays: dict[str, list[Unexplained]] = {}
    for question in questions:
        arrays.setdefault(question.handed_over.submission.token, []).append(question)
    newest = sorted(arrays.values(), key=lambda each: -_submission(each).time)[:MOST_ARRAYS]
    left = [list(_ask_controller(array, answers)) for array in newest]
    by_place: dict[tuple[str | None, bool], list[Unexplained]] = {}
    for array in filter(None, left):
        submission = _submission(array)
        place = (submission.clusters[0], submission.files.launch.has_accounting)
        by_place.setdefault(place, []).extend(array)
    for (cluster, has_accounting), group in by_place.items():
        _ask_accounting(group, cluster, answers, is_there=has_accounting)
    return answers


def keep(ended: Iterable[tuple[HandedOver, LastWord]], forgotten: Iterable[HandedOver]) -> None:
    """Write down how tasks have ended, and of which nobody knows."""
    news: dict[SubmissionDir, dict[int, LastWord]] = {}
    words = [*((each, LastWord(FORGOTTEN)) for each in forgotten), *ended]
    for handed_over, word in words:
        news.setdefault(handed_over.submission.files, {})[handed_over.index] = word
    for files, found in news.items():
        keep_words(files, found)


def _submission(array: Sequence[Unexplained]) -> Submission:
    return array[0].handed_over.submission


def _ask_controller(array: Sequence[Unexplained], answers: Answers) -> Iterator[Unexplained]:
    """Those that the controller has certainly forgotten."""
    submission = _submission(array)
    job = array[0].job.partition("_")[0]
    is_certain = True
    for cluster in submission.clusters:
        listed = read_array(job, cluster)
        if listed is None:
            is_certain = False
            continue
        ours = {task.id: task for task in listed if task.token == submission.token}
        answers.tasks += [ours[each.job] for each in array if each.job in ours]
        array = [each for each in array if each.job not in ours]
    if is_certain:
        yield from array


def _ask_accounting(
    group: Sequence[Unexplained], cluster: str | None, answers: Answers, *, is_there: bool
) -> None:
    jobs = sorted({each.job.partition("_")[0] for each in group})
    known = read_ended(jobs, cluster) if is_there else []
    ended = {each.task.id: each for each in known or ()}
    for each in group:
        submission, found = each.handed_over.submission, ended.get(each.job)
        # Ids are given out anew where a controller has lost its state.
        if (
            found is not None
            and found.name == submission.files.launch.sweep_name
            and found.submitted > submission.time - CLOCKS_S
        ):
            task = found.task._replace(restarts=each.restarts, token=submission.token)
            answers.tasks.append(task)
        elif known is not None and not each.handed_over.is_new and each.handed_over.is_ours:
            answers.forgotten.append(each.handed_over)
