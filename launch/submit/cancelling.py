"""Cancelling experiments, many at once: those that run, and those that wait in Slurm's queue."""

from collections.abc import Collection

from launch.slurm.queue import scancel
from launch.status.queues import newest_hand_overs, queue_for_hand_overs
from launch.store import RunsRoot
from launch.store.markers import cancel, insist
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
    tasks = (each.task(queue) for each in handed_over)
    open_ones = (task for task in tasks if task is not None and not task.is_ended)
    waiting = [task.id for task in open_ones if at_once or task.is_waiting]
    try:
        scancel(waiting)
    except RefusedError as error:
        return error.message
    return queue.trouble
