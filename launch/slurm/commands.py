"""Calling Slurm's programs, with a limit on how long they may take."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pcm.errors import RefusedError

PATIENCE_S = 20.0
"""squeue itself gives up after Slurm's MessageTimeout, usually 10 s."""

DELAY_S = 5.0
"""A person who has waited for so long wants to know what for."""


_UNANSWERED = re.compile(
    r"no answer|timed out|contact slurm controller|communication|connection|zero bytes", re.I
)
"""What is said where nobody knows whether the controller has got a request."""


class NoSlurmError(RefusedError):
    """A program of Slurm's is not on this machine."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said.

    Attributes:
        exit_code: None if it took too long and was killed.
    """

    exit_code: int | None
    output: str
    errors: str


def require_slurm() -> None:
    """Refuse to go on where experiments can't be submitted.

    Raises:
        RefusedError: there is no Slurm here.
    """
    for program in ("sbatch", "srun", "squeue", "scontrol"):
        if shutil.which(program) is None:
            raise _no_slurm(program)


def call(
    command: Sequence[str],
    patience_s: float,
    environment: Mapping[str, str] | None = None,
    on_delay: Callable[[str], None] | None = None,
) -> Answer:
    """Run a program to its end, or for `patience_s` seconds.

    Args:
        environment: all of its variables; this process' own for None.
        on_delay: called once with what it has complained about so far, if it takes longer.

    Raises:
        RefusedError: there is no such program.
    """
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # in a job, a signal to its processes must not end this one
        )
    except FileNotFoundError:
        raise _no_slurm(command[0]) from None
    with process:
        try:
            return _patient_answer(process, patience_s, on_delay)
        finally:
            process.kill()


def _patient_answer(
    process: "subprocess.Popen[bytes]", patience_s: float, on_delay: Callable[[str], None] | None
) -> Answer:
    try:
        return _answer(process, min(DELAY_S, patience_s))
    except subprocess.TimeoutExpired as late:
        if on_delay is not None:
            on_delay(_text(late.stderr).strip())
    try:
        return _answer(process, patience_s - DELAY_S)
    except subprocess.TimeoutExpired as late:
        return Answer(None, _text(late.stdout), _text(late.stderr))


def _answer(process: "subprocess.Popen[bytes]", patience_s: float) -> Answer:
    output, errors = process.communicate(timeout=patience_s)
    return Answer(process.returncode, _text(output), _text(errors))


def _no_slurm(program: str) -> NoSlurmError:
    return NoSlurmError(
        f"there is no Slurm on this machine: `{program}` is not on the PATH",
        hint="--executor local, or log in to a machine of the cluster",
    )


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")


def ask(*command: str, patience_s: float | None = None) -> str:
    """What a client of Slurm prints.

    Args:
        patience_s: seconds until it is given up; `PATIENCE_S` for None.

    Raises:
        RefusedError: it isn't here, fails, or gives no answer.
    """
    patience_s = PATIENCE_S if patience_s is None else patience_s
    answer = call(command, patience_s, client_environment(os.environ))
    if answer.exit_code is None:
        raise RefusedError(f"{command[0]} gave no answer for {patience_s:.0f} s")
    if answer.exit_code != 0:
        raise RefusedError(_last_line(answer.errors) or f"{command[0]} failed")
    return answer.output


def is_unanswered(said: str) -> bool:
    """Whether what a client of Slurm said leaves open if the controller has got its request."""
    return bool(_UNANSWERED.search(said))


def cluster_option(cluster: str | None) -> list[str]:
    """What every client of Slurm is told where a job is another cluster's than this machine's."""
    return [] if cluster is None else [f"--clusters={cluster}"]


def client_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which clients of Slurm print what we can read.

    A user's own variables change their filters and formats, or have scancel ask back; a site's
    may change how times are written, in a job as well. Of an array's indices they print 64
    characters unless they are told to print all.
    """
    habits = ("SQUEUE_", "SCANCEL_", "SACCT_")
    kept = {name: text for name, text in environment.items() if not name.startswith(habits)}
    return kept | {"SLURM_TIME_FORMAT": "%s", "SLURM_BITSTR_LEN": "0", "LC_ALL": "C.UTF-8"}


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""
