"""One array as the controller itself lists it: a site may have put a cache before its squeue."""

import re
from collections.abc import Iterator

from launch.slurm.amounts import indices
from launch.slurm.commands import ask, cluster_option
from launch.slurm.queue import Task, token_in
from pcm.errors import RefusedError

_FIELD = re.compile(r"(?:^|\s)(\w+)=(\S*)")

_FORGOTTEN = re.compile(r"invalid job id|not found", re.IGNORECASE)
"""How scontrol says that there is no such job."""


def read_array(job: str, cluster: str | None = None) -> list[Task] | None:
    """The tasks of an array that the controller knows of; None if it gives no answer.

    Args:
        job: the array's id.
        cluster: its; None for the one that this machine belongs to.
    """
    try:
        answer = ask("scontrol", *cluster_option(cluster), "show", "job", "-o", job)
    except RefusedError as error:
        return [] if _FORGOTTEN.search(error.message) else None
    return [task for line in answer.splitlines() for task in parse_tasks(line, cluster)]


def parse_tasks(line: str, cluster: str | None = None) -> Iterator[Task]:
    """The tasks in a line of `scontrol -o show job`: those that wait share one."""
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(line):
        # What comes later may be anybody's text.
        fields.setdefault(name, value)
    job, start = fields.get("ArrayJobId", ""), fields.get("StartTime", "")
    for index in indices(fields.get("ArrayTaskId", "")):
        yield Task(
            f"{job}_{index}",
            fields.get("JobState", ""),
            restarts=int(fields.get("Restarts", "0")),
            start=float(start) if start.isdecimal() else None,
            nodes=fields.get("NodeList", ""),
            reason=fields.get("Reason", "None"),
            token=token_in(line),
            cluster=cluster,
        )
