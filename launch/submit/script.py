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

_HOLD = (
    "import os,signal,sys;"
    "signal.pthread_sigmask(0,{signal.SIGTERM,signal.SIGUSR1,signal.SIGUSR2});"
    "os.execv(sys.argv[1],sys.argv[1:])"
)
"""Has signals wait until a supervisor that is still importing takes them; 0 is SIG_BLOCK."""

_START_LINE = f"export {START_VARIABLE}=$(date +%s%N)"
"""Tells each start of a job from all others, also where Slurm has forgotten one."""

_SIGNAL_LINES = (
    "# A signal to this shell alone is passed on to the ranks by srun, which does so with USR1 and",
    "# USR2 alone. Which one it was is in a file. `setup` may have any options of the shell on.",
    "pcm_srun=",
    "pcm_pass_on() {",
    '    echo "$1" >| "$pcm_task"_signal || :',
    '    if [ -n "$pcm_srun" ]; then kill -USR2 "$pcm_srun" 2> /dev/null || :; fi',
    "}",
    "pcm_listen() {",
    "    local name",
    '    for name in HUP INT TERM USR1 USR2; do trap "pcm_pass_on $name" "$name"; done',
    "}",
    "pcm_listen",
    "srun() {",
    "    local code=0",
    "    pcm_listen",
    """    (trap '' USR1 USR2; exec srun "$@") &""",
    "    pcm_srun=$!",
    '    while kill -0 "$pcm_srun" 2> /dev/null; do wait "$pcm_srun" || :; done',
    '    wait "$pcm_srun" || code=$?',
    '    rm -f "$pcm_task"_signal',
    '    return "$code"',
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
    # submitit puts a rank's number in place of %t, Slurm for srun, and 0 for the script itself.
    executor = _ScriptWriter(files.path if request.ranks == 1 else files.rank_folder("%t"))
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
        setup=[_START_LINE, *_task_lines(files), *_SIGNAL_LINES, *setup],
        srun_args=_srun_arguments(cores),
        additional_parameters={"requeue": True, **dependency, **parameters},
    )
    return executor.text(_command(files, request), request.tasks, files.token)


def _shielded_python() -> str:
    """The interpreter of the ranks, which no signal ends, and none escapes, while it starts.

    What comes in the few milliseconds before they are held back is ignored. Then the supervisor
    learns it by asking Slurm, see `launch.supervisor.supervise`.
    """
    python = shlex.quote(sys.executable)
    ignoring = """/bin/sh -c 'trap "" TERM USR1 USR2; exec "$@"' sh"""
    return f"{ignoring} {python} -ISc {shlex.quote(_HOLD)} {python} -P"


def _srun_arguments(cores: str | int | None) -> list[str]:
    # A site or a person may have sbatch export nothing: srun would obey that too, and without
    # PATH it starts nothing (`execve(): sh`).
    everything = ["--export=ALL"]
    # Since Slurm 22.05 srun doesn't take this over from sbatch.
    return everything if cores is None else [*everything, f"--cpus-per-task={cores}"]


def _task_lines(files: SubmissionDir) -> list[str]:
    """Where this task's own files are; what a former start of it has left."""
    task = "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
    return [f'pcm_task={shlex.quote(str(files.path))}/"{task}"', 'rm -f "$pcm_task"_signal']


def _command(files: SubmissionDir, request: ArrayRequest) -> str:
    """What every task runs: a module's name and a folder; no pickle, which is code by itself."""
    module = "launch.supervisor" if request.pack is None else "launch.pack"
    return f"{_shielded_python()} -u -m {module} {shlex.quote(str(files.path))}"
