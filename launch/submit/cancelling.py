"""Cancelling experiments, many at once: those that run, and those that wait in Slurm's queue."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress

from launch.slurm.commands import is_unanswered
from launch.slurm.queue import Queue
from launch.slurm.scancel import scancel
from launch.status.queues import (
    HandedOver,
    newest_hand_overs,
    queue_for_hand_overs,
    tasks_of,
)
from launch.store import RunsRoot
from launch.store.claims import Claims
from launch.store.markers import cancel, insist
from launch.store.submissions import Submission
from pcm.errors import RefusedError


def cancel_all(root: RunsRoot, ids: Collection[str], *, at_once: bool = False) -> str | None:
    """Stop experiments for good, until somebody resumes them; those that are cancelled too.

    Args:
        at_once: kill what runs, without a checkpoint.

    Returns:
        Why what waits in Slurm's queue could not be taken out of it; None if it could. Its
        supervisors end as soon as they start, since the markers are there.
    """
    for experiment_id in ids:
        cancel(root, experiment_id)
        if at_once:
            insist(root, experiment_id)
    # Only what waits: the rest has been asked for its end, and comes to it by itself. One who
    # insists has a reason to think that it doesn't.
    handed_over = newest_hand_overs(root, ids).values()
    queue = queue_for_hand_overs(handed_over)
    alone = [each for each in handed_over if each.submission.pack is None]
    packs = {each.submission.token: each.submission for each in handed_over}.values()
    idle = [each for each in packs if each.pack is not None and _is_nothing_left(each, ids)]
    whole = [task for each in idle for task in tasks_of(each)]
    waiting: dict[str | None, list[str]] = {}
    for cluster, task in _to_take_out([*alone, *whole], queue, at_once=at_once):
        waiting.setdefault(cluster, []).append(task)
    try:
        for cluster, tasks in waiting.items():
            scancel(tasks, cluster)
    except RefusedError as error:
        problem = "does not answer" if is_unanswered(error.message) else "refuses to cancel them"
        return f"Slurm {problem} ({error.message})"
    return None if queue.trouble is None else f"Slurm does not answer ({queue.trouble})"


def _is_nothing_left(submission: Submission, cancelled: Collection[str]) -> bool:
    """Withdraw experiments from the allocations that might draw them; whether those have no other.

    One that an allocation has at this moment sees its marker.
    """
    claims, wanted = Claims(submission), set(cancelled)
    mine = [each for each in submission.array if each in wanted]
    with suppress(PermissionError):
        for experiment_id in mine:
            claims.withdraw(experiment_id)
    return set(submission.array) == wanted.intersection(mine) | claims.over()


def _to_take_out(
    handed_over: Iterable[HandedOver], queue: Queue, *, at_once: bool
) -> Iterator[tuple[str | None, str]]:
    """Cluster and id of each task that waits, or was handed over and is not listed yet.

    Args:
        at_once: those that run, too.
    """
    for each in handed_over:
        task, task_id = each.task(queue), each.task_id(queue)
        if task is not None and (task.is_waiting or (at_once and task.is_running)):
            yield task.cluster, task.id
        elif task is None and task_id is not None and each.is_new:
            yield each.submission.clusters[0], task_id
