"""Our arrays in Slurm's queue, from one call of squeue."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from launch.slurm.commands import ask
from launch.slurm.records import Submission

ENDED = frozenset(
    {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED"}
    | {"NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"}
)
"""Slurm remembers jobs for some minutes; in these states nothing more happens to them."""


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of squeue: a task of an array, or all of its tasks that wait.

    Attributes:
        tasks: as Slurm writes them, e.g. `7` or `3,5-999%16`.
        text: the job's comment and command, where our token is.
    """

    job_id: str
    tasks: str
    state: str
    text: str


def read_queue() -> list[QueueRow]:
    """This user's jobs, with those that ended a short while ago.

    Raises:
        RefusedError: Slurm doesn't answer.
    """
    listing = ask("squeue", "--me", "-ah", "-t", "all", "-o", "%F|%K|%T|%k|%o")
    rows = (line.split("|", 3) for line in listing.splitlines())
    return [QueueRow(*row) for row in rows if len(row) == 4]


def job_with(token: str, rows: Iterable[QueueRow]) -> str | None:
    """The id of the job that a token is in."""
    return next((row.job_id for row in rows if token in row.text), None)


def waiting_or_running(
    submissions: Iterable[Submission], rows: Iterable[QueueRow]
) -> Iterator[str]:
    """The experiments that Slurm still has to do with."""
    arrays = {each.job_id: each.array for each in submissions if each.job_id is not None}
    for row in rows:
        array = arrays.get(row.job_id, ())
        if row.state not in ENDED:
            yield from (array[index] for index in task_indices(row.tasks) if index < len(array))


def task_indices(tasks: str) -> Iterator[int]:
    """`3,5-9:2%16` -> 3, 5, 7, 9."""
    for part in tasks.partition("%")[0].split(","):
        match = re.fullmatch(r"(\d+)(?:-(\d+)(?::(\d+))?)?", part)
        if match is not None:
            first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
            yield from range(first, last + 1, step)
