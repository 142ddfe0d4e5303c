"""Which arrays have to end before more of their sweep may begin. Pure.

Slurm throttles an array, never several of them together. So what is handed over while others of
its sweep are in the queue waits for the oldest of these, as many as it takes to leave it room.
Whatever begins then has nothing beside it but the newest before it, and at most `limit` run.
"""

from collections import Counter
from collections.abc import Mapping

from launch.store.submissions import Submission


def arrays_before(
    wanted: int, limit: int | None, queued: Mapping[str, Submission], sweeps: set[str]
) -> list[str]:
    """Ids of the arrays that must end first, the oldest first.

    Args:
        wanted: tasks that would run at once.
        limit: tasks of all arrays that may; None for any number.
        queued: what is in Slurm, by experiment.
        sweeps: names of those for which the limit is.
    """
    if limit is None:
        return []
    ours = {each.token: each for each in queued.values() if each.files.launch.sweep_name in sweeps}
    left = Counter(each.token for each in queued.values())
    oldest_first = sorted(ours.values(), key=lambda each: each.time)
    room = limit - min(wanted, limit)
    while oldest_first and room >= 0:
        newest = oldest_first[-1]
        room -= _most_at_once(newest, left[newest.token])
        if room >= 0:
            oldest_first.pop()
    return [each.job_id for each in oldest_first if each.job_id is not None]


def _most_at_once(array: Submission, experiments: int) -> int:
    """Tasks of an array that may run at once, of which so many experiments are left."""
    # Nobody knows how many allocations share what is left of a pack's.
    tasks = experiments if array.pack is None else array.tasks
    return tasks if array.parallel is None else min(tasks, array.parallel)
