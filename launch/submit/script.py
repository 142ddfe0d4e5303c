"""The script of an array: submitit's, with a command of ours."""

import shlex
import sys
from collections.abc import Sequence

import submitit

from launch.store.submissions import SubmissionDir
from launch.submit.paths import require_path_without
from launch.submit.requests import ArrayRequest
from launch.supervisor.slurm_job import START_VARIABLE

_TAGS = ("%", "\\", "\n")
"""Slurm replaces these in the names of files; it has many more, and marks of its own."""

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

    def text(self, command: str, count: int, uid: str) -> str:
        """The script of an array of `count` tasks that all run one shell command."""
        self.parameters["map_count"] = count
        return str(self._make_submission_file_text(command, uid))


def array_script(
    files: SubmissionDir, request: ArrayRequest, *, setup: Sequence[str], after: str | None = None
) -> str:
    """The script of an array for sbatch: all of its tasks run the same command.

    Args:
        setup: shell lines that run on the first node before anything else.
        after: id of a job that has to end first.

    Raises:
        RefusedError: the runs root has a name that Slurm can't work with.
    """
    require_path_without(_TAGS, files.launch)
    executor = _ScriptWriter(files.path)
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
        setup=[_START_LINE, *_SIGNAL_LINES, *setup],
        # Since Slurm 22.05 srun doesn't take this over from sbatch.
        srun_args=[] if cores is None else [f"--cpus-per-task={cores}"],
        additional_parameters={"requeue": True, **dependency, **parameters},
    )
    return executor.text(_command(files), len(request.ids), files.token)


def _command(files: SubmissionDir) -> str:
    """What every task runs: a module's name and a folder; no pickle, which is code by itself."""
    words = [sys.executable, "-P", "-u", "-m", "launch.supervisor", str(files.path)]
    return f"{_SHIELD} {shlex.join(words)}"
