"""Handing jobs over: the one place of the launching side that imports submitit."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import submitit
from submitit.core.utils import DelayedSubmission, environment_variables

from launch.processes import kill_tree
from launch.signals import PERSON, held_back
from launch.slurm.records import SubmissionDir
from launch.slurm.requests import ArrayRequest
from launch.slurm.task import run_task
from launch.store import LaunchDir
from launch.supervisor import supervise
from launch.supervisor.job import LOCAL_VARIABLE
from launch.supervisor.slurm_job import START_VARIABLE
from pcm.errors import RefusedError

_NO_LIMIT_MIN = 60 * 24 * 365 * 10
"""submitit's local executor can't do without a time limit."""

_TAGS = ("%j", "%t", "%A", "%a")
"""submitit replaces these, wherever they are in a path."""

_SLURM_TAGS = ("%", "\\", "\n")
"""As submitit's, for Slurm; it has many more, and marks of its own."""


@dataclass(frozen=True)
class SubmittedJob:
    """A job of submitit's local executor: a controller process, and a supervisor a rank.

    Attributes:
        key: what its supervisors write into `attempt.json`.
    """

    key: str
    launch: LaunchDir
    job: Any

    @property
    def is_over(self) -> bool:
        """Whether the controller has ended."""
        return bool(self.job.done())

    def kill(self) -> None:
        """SIGKILL the controller and everything below it."""
        kill_tree(int(self.job.job_id))

    def remove_files(self) -> None:
        """Remove submitit's own files of this job; the run directory has all there is to know."""
        for path in self.launch.jobs.glob(f"{self.job.job_id}_*"):
            path.unlink(missing_ok=True)


def submit_local(
    launch: LaunchDir, experiment_id: str, world_size: int, key: str, told: str
) -> SubmittedJob:
    """Start all ranks of one experiment on this machine.

    Args:
        told: what its supervisors are told, see `launch.supervisor.job.local_job_text`.

    Raises:
        RefusedError: the runs root has a name that submitit can't work with, or is full.
    """
    _check_path(launch, _TAGS)
    # The terminal's Ctrl-C goes to the controller too, which would kill its supervisors
    # within a second. It never unblocks the signals; the supervisors do.
    with held_back(PERSON), environment_variables(**{LOCAL_VARIABLE: told}):
        try:
            executor = submitit.LocalExecutor(launch.jobs)
            executor.update_parameters(tasks_per_node=world_size, timeout_min=_NO_LIMIT_MIN)
            job = executor.submit(supervise, str(launch.path), experiment_id)
        except OSError as error:
            raise RefusedError(f"can't start experiment {experiment_id}: {error}") from error
    return SubmittedJob(key, launch, job)


_SHIELD = """sh -c 'trap "" TERM USR1 USR2; exec "$@"' sh"""
"""Keeps a supervisor alive that is still importing when a signal comes. What it missed, it
learns by asking Slurm."""

_START_LINE = f"export {START_VARIABLE}=$(date +%s%N)"
"""Tells each start of a job from all others, also where Slurm has forgotten one."""

_SIGNAL_LINES = (
    "# A signal to this shell alone is passed on to the ranks.",
    "srun() {",
    '    command srun "$@" &',
    '    for name in TERM USR1 USR2; do trap "kill -$name $! 2>/dev/null" $name; done',
    "    while kill -0 $! 2>/dev/null; do wait $!; done",
    "    wait $!",
    "}",
)


class _ScriptWriter(submitit.SlurmExecutor):
    """submitit's, for scripts alone: so it works where there is no Slurm, too."""

    @classmethod
    def affinity(cls) -> int:
        """How well the executor suits this machine; submitit asks whether there is `srun`."""
        return 1

    def text(self, count: int, uid: str) -> str:
        """The script of an array of `count` tasks."""
        self.parameters["map_count"] = count
        return str(self._make_submission_file_text(self._submitit_command_str, uid))


def array_script(
    files: SubmissionDir, request: ArrayRequest, *, setup: Sequence[str], after: str | None = None
) -> str:
    """The script of an array for sbatch: submitit's, with our payload for all of its tasks.

    Args:
        setup: shell lines that run on the first node before anything else.
        after: id of a job that has to end first.

    Raises:
        RefusedError: the runs root has a name that Slurm can't work with.
    """
    _check_path(files.launch, _SLURM_TAGS)
    executor = _ScriptWriter(files.path, python=f"{_SHIELD} {shlex.quote(sys.executable)} -P")
    parameters = dict(request.parameters)
    dependency = {} if after is None else {"dependency": f"afterany:{after}"}
    comment = " ".join(filter(None, [str(parameters.pop("comment", "")), files.token]))
    cores = parameters.get("cpus_per_task")
    executor.update_parameters(
        job_name=files.launch.sweep_name,
        time=None,
        wckey=None,
        comment=comment,
        stderr_to_stdout=True,
        array_parallelism=request.parallel,
        setup=[_START_LINE, *_SIGNAL_LINES, *setup, *_payload_lines(files)],
        # Since Slurm 22.05 srun doesn't take this over from sbatch.
        srun_args=[] if cores is None else [f"--cpus-per-task={cores}"],
        additional_parameters={"requeue": True, **dependency, **parameters},
    )
    return executor.text(len(request.ids), files.token)


def write_payload(files: SubmissionDir) -> None:
    """Write what every task of an array runs: a function's name and a path."""
    DelayedSubmission(run_task, str(files.path)).dump(files.payload)


def _payload_lines(files: SubmissionDir) -> list[str]:
    """Submitit looks for a file a task; one for all makes large arrays cheap to submit."""
    task = "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    return [
        f'task={shlex.quote(str(files.path))}/"{task}"',
        f'ln -sf {files.payload.name} "$task"_submitted.pkl',
        """trap 'rm -f "$task"_submitted.pkl "$task"_*_result.pkl' EXIT""",
    ]


def _check_path(launch: LaunchDir, tags: Sequence[str]) -> None:
    if any(tag in str(launch.path) for tag in tags):
        names = " ".join(map(repr, tags))
        raise RefusedError(
            f"the runs folder must not have any of {names} in its path: {launch.root}",
            hint="choose another one with --runs-dir or PCM_RUNS_DIR",
        )
