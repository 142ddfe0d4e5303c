"""Who or what has an experiment in hand, for people who want to start it too."""

from launch.status.state import State, Status
from launch.store import Experiment, RunsRoot
from launch.store.local_queues import launcher_of
from launch.store.records import read_attempt
from pcm.run_dir import RunDir


def holder(experiment: Experiment, status: Status) -> str | None:
    """What an experiment does that must not be started now, and where; None if it may be."""
    if status.state is State.NEW or status.state.is_ended:
        return None
    if status.state.is_active:
        verb = "runs" if status.state is State.RUNNING else "is stopping"
        return verb + (_as_job(status) or whereabouts(experiment.run_dir))
    return "waits" + (_as_job(status) or _for_launcher(experiment))


def whereabouts(run_dir: RunDir) -> str:
    """Where the newest attempt was made, set off by a colon; "" before the first."""
    for files in run_dir.attempts()[-1:]:
        record = read_attempt(files)
        return f": attempt {files.number} on {record.host}, process {record.pid}"
    return ""


def _as_job(status: Status) -> str:
    return "" if status.job is None else f" as job {status.job} of Slurm"


def _for_launcher(experiment: Experiment) -> str:
    launcher = launcher_of(RunsRoot(experiment.launch.root), experiment.id)
    return "" if launcher is None else f" for process {launcher.pid} on {launcher.host}"
