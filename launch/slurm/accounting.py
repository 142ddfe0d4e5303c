"""What Slurm's accounting has kept of jobs that are over."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from launch.slurm.amounts import indices, megabytes
from launch.slurm.commands import ask, cluster_option
from launch.slurm.queue import Task
from pcm.errors import RefusedError

_NONE = re.compile(r"storage is disabled|not on the PATH")
"""How sacct, or its absence, says that nothing is kept."""


@dataclass(frozen=True, slots=True)
class Account:
    """What Slurm's accounting has kept of a job.

    Attributes:
        state: Slurm's word, and who cancelled it.
        exit_code: `CODE:SIGNAL`.
        asked_mb: memory that it asked for, by node or core as it did; None if unknown.
        used_mb: the most that one of its steps was seen with; None if that wasn't measured.
        nodes: where it ran.
    """

    state: str
    exit_code: str
    asked_mb: float | None
    used_mb: float | None
    nodes: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A task as accounting has it.

    Attributes:
        task: with Slurm's word for its newest end; how often it was requeued isn't known.
        name: of its job.
        submitted: seconds since the epoch.
    """

    task: Task
    name: str
    submitted: float


def read_account(job: str, cluster: str | None = None) -> Account | None:
    """What accounting knows of a job; None if it doesn't, or if the site keeps none.

    Args:
        cluster: the job's; None for the one that this machine belongs to.
    """
    fields = "JobID,State,ExitCode,ReqMem,MaxRSS,NodeList"
    command = ["sacct", "-n", "-P", *cluster_option(cluster), f"--jobs={job}"]
    try:
        return parse_account(ask(*command, f"--format={fields}"))
    except RefusedError:
        return None


def read_ended(jobs: Sequence[str], cluster: str | None = None) -> list[Ended] | None:
    """What accounting knows of the tasks of arrays that are over; None if it doesn't answer.

    A site that keeps none knows nothing.

    Args:
        jobs: the arrays' ids.
        cluster: theirs; None for the one that this machine belongs to.
    """
    fields = "JobID,State,Reason,Submit,JobName"
    command = ["sacct", "-n", "-P", "-X", *cluster_option(cluster), f"--jobs={','.join(jobs)}"]
    try:
        return parse_ended(ask(*command, f"--format={fields}"), cluster)
    except RefusedError as error:
        return [] if _NONE.search(error.message) else None


def parse_ended(text: str, cluster: str | None = None) -> list[Ended]:
    """The tasks in the output of sacct that are over."""
    rows = [line.split("|", 4) for line in text.splitlines()]
    found = (each for row in rows if len(row) == 5 for each in _ended(row, cluster))
    return [each for each in found if each.task.is_ended]


def _ended(row: Sequence[str], cluster: str | None) -> Iterator[Ended]:
    job, state, reason, submitted, name = row
    array, _, tasks = job.partition("_")
    if not submitted.isdecimal():
        return
    for index in indices(tasks):
        task = Task(
            f"{array}_{index}",
            # Slurm says who, too: `CANCELLED by 1000`.
            state.partition(" ")[0],
            reason=reason or "None",
            cluster=cluster,
        )
        yield Ended(task, name, float(submitted))


def parse_account(text: str) -> Account | None:
    """The job in the output of sacct, whose further lines are its steps; None if there is none."""
    rows = [line.split("|") for line in text.splitlines()]
    rows = [row for row in rows if len(row) == 6]
    if not rows:
        return None
    _, state, exit_code, asked, _, nodes = rows[0]
    # The step tells of a lack of memory where the job's script only knows that it failed.
    if any(row[1] == "OUT_OF_MEMORY" for row in rows):
        state = "OUT_OF_MEMORY"
    used = [amount for row in rows if (amount := megabytes(row[4])) is not None]
    return Account(state, exit_code, megabytes(asked), max(used, default=None), nodes)
