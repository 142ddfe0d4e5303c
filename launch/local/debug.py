"""Training in the calling process, where `breakpoint()` works."""

import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from launch.container import training_arguments
from launch.machine.processes import Process
from launch.slurm.queue import NOT_ASKED
from launch.status.state import Status
from launch.status.statuses import read_status
from launch.store import Experiment
from launch.store.markers import request_stop
from launch.supervisor.attempt import Attempt, lead_attempt
from launch.supervisor.job import Job
from launch.supervisor.outcomes import record_outcome
from launch.supervisor.training import Outcome
from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import write_json


def run_debug(experiment: Experiment, checkpoint: str | None = None) -> Status:
    """Train one experiment of a single rank; its output goes to the terminal.

    Ctrl-C stops it with a checkpoint, a second one at once.

    Raises:
        RefusedError: it is made for several ranks, runs already, or was cancelled.
    """
    if experiment.world_size != 1:
        raise RefusedError(
            f"experiment {experiment.id} is made for {experiment.world_size} ranks, "
            "and debugging runs one",
            hint="--nodes 1 --tasks-per-node 1 makes an experiment of one rank",
        )
    if experiment.launch.record.get("container") is not None:
        raise RefusedError(
            "debugging happens in this process, and so outside of any image",
            hint="launch it without `container:` and --image",
        )
    job = Job.in_this_process(checkpoint)
    with lead_attempt(experiment.launch, experiment.id, job) as attempt:
        write_json(attempt.files.supervisor(0), Process.current().record())
        record_outcome(attempt.files, 0, _train(attempt, checkpoint))
    return read_status(experiment, NOT_ASKED)


def _train(attempt: Attempt, checkpoint: str | None) -> Outcome:
    arguments = training_arguments(attempt.run_dir.path, attempt.files.number, checkpoint)
    try:
        with _as_python_m(["pcm", *arguments]):
            runpy.run_module("pcm", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return Outcome(_exit_code(end), None)
    except KeyboardInterrupt:
        request_stop(attempt.files, by="Ctrl-C", reason="interrupt")
        return Outcome(None, "SIGINT", killed=True)
    return Outcome(ExitCode.DONE, None)


def _exit_code(end: SystemExit) -> int:
    """As the interpreter has it: nothing is 0, a text is 1."""
    if end.code is None:
        return ExitCode.DONE
    return end.code if isinstance(end.code, int) else ExitCode.EXPERIMENT_FAILED


@contextmanager
def _as_python_m(words: list[str]) -> Iterator[None]:
    """Arguments and path of a process that `python -m` starts, which finds the user's modules."""
    former = sys.argv, sys.path
    sys.argv, sys.path = words, [str(Path.cwd()), *sys.path]
    try:
        yield
    finally:
        sys.argv, sys.path = former
