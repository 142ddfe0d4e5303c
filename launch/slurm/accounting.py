"""What Slurm's accounting has kept of jobs that are over."""

from dataclasses import dataclass

from launch.slurm.amounts import megabytes
from launch.slurm.commands import ask
from pcm.errors import RefusedError


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


def read_account(job: str) -> Account | None:
    """What accounting knows of a job; None if it doesn't, or if the site keeps none."""
    fields = "JobID,State,ExitCode,ReqMem,MaxRSS,NodeList"
    try:
        return parse_account(ask("sacct", "-n", "-P", f"--jobs={job}", f"--format={fields}"))
    except RefusedError:
        return None


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
