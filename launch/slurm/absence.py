"""What Slurm's list tells of a task of an array that it does not name. Pure.

Tasks that wait have one record between them and start in the order of their indices. One that
is taken out of it vanishes at once, without a word; when the last of them are taken out, the
record stays for a few minutes as CANCELLED under the array's own id.
"""

from launch.slurm.queue import Queue, Task

CANCELLED = "CANCELLED"


def taken_out(queue: Queue, wanted: Task, *, is_new: bool) -> Task | None:
    """The task as somebody took it out of the queue; None where that can't be said.

    Args:
        wanted: an id, a token and a cluster; not in the queue, and never began.
        is_new: whether Slurm could not have forgotten it since it was handed over.
    """
    job, _, index = wanted.id.partition("_")
    listed = queue.arrays.get(wanted._replace(id=job).key, [])
    ours = [task for task in listed if task.token in (None, wanted.token)]
    record = next((task for task in ours if task.id == job and task.is_ended), None)
    if record is not None:
        return record._replace(id=wanted.id)
    if ours and (is_new or _is_overtaken(int(index), ours)):
        return wanted._replace(state=CANCELLED)
    return None


def _is_overtaken(index: int, listed: list[Task]) -> bool:
    """Whether one that would start before it still waits in the common record."""
    waiting = (
        int(task.id.partition("_")[2])
        for task in listed
        # Others have records of their own: they ran before, or somebody holds them.
        if task.is_waiting and not task.restarts and "Held" not in task.reason and "_" in task.id
    )
    return min(waiting, default=index) < index
