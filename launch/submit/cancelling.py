"""Cancelling experiments, many at once: those that run, and those that wait in Slurm's queue."""

from collections.abc import Collection

from launch.slurm.queue import scancel
from launch.status.queues import newest_hand_overs, queue_for_hand_overs
from launch.store import RunsRoot
from launch.store.markers import cancel
from pcm.errors import RefusedError


def cancel_all(root: RunsRoot, ids: Collection[str]) -> str | None:
    """Stop experiments for good, until somebody resumes them; those that are cancelled too.

    Returns:
        Why what waits in Slurm's queue could not be taken out of it; None if it could. Its
        supervisors end as soon as they start, since the markers are there.
    """
    for experiment_id in ids:
        cancel(root, experiment_id)
    # Only what waits: the rest has been asked for a checkpoint, and ends by itself.
    handed_over = newest_hand_overs(root, ids).values()
    queue = queue_for_hand_overs(handed_over)
    tasks = (each.task(queue) for each in handed_over)
    waiting = [task.id for task in tasks if task is not None and task.is_waiting]
    try:
        scancel(waiting)
    except RefusedError as error:
        return error.message
    return queue.trouble
