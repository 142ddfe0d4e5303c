"""Experiments as jobs of submitit's local executor: a controller process, a supervisor a rank."""

import shutil
from dataclasses import dataclass
from typing import Any, Protocol

import submitit
from submitit.core.utils import environment_variables

from launch.machine.processes import kill_tree
from launch.machine.signals import PERSON, held_back
from launch.store import LaunchDir
from launch.store.trust import require_trusted_launch
from launch.submit.paths import require_path_without
from launch.supervisor import supervise
from launch.supervisor.job import LOCAL_VARIABLE
from pcm.errors import RefusedError
from pcm.run_dir.trust import make_folder

_NO_LIMIT_MIN = 60 * 24 * 365 * 10
"""submitit's local executor can't do without a time limit."""

_TAGS = ("%j", "%t", "%A", "%a")
"""submitit replaces these, wherever they are in a path."""


class LocalJob(Protocol):
    """All ranks of one experiment on this machine.

    Attributes:
        key: what its supervisors write into `attempt.json`.
    """

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def launch(self) -> LaunchDir: ...  # noqa: D102

    @property
    def pids(self) -> list[int]:
        """Processes that live for as long as it does."""

    @property
    def is_over(self) -> bool:
        """Whether the processes that its launcher has started have ended."""

    def kill(self) -> None:
        """SIGKILL those processes and everything below them."""

    def remove_files(self) -> None:
        """Remove what only this launcher needs to know of it."""


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
    def pids(self) -> list[int]:
        """The controller; none once it has ended, though supervisors may outlive it."""
        return [] if self.is_over else [int(self.job.job_id)]

    @property
    def is_over(self) -> bool:
        """Whether the controller has ended."""
        return bool(self.job.done())

    def kill(self) -> None:
        """SIGKILL the controller and everything below it."""
        kill_tree(int(self.job.job_id))

    def remove_files(self) -> None:
        """Remove submitit's own files of this job; the run directory has all there is to know."""
        remove_files(self.launch, self.key)


def remove_files(launch: LaunchDir, key: str) -> None:
    """Remove the folder of one local job."""
    shutil.rmtree(launch.local_job(key), ignore_errors=True)


def submit_local(
    launch: LaunchDir, experiment_id: str, world_size: int, key: str, job_text: str
) -> SubmittedJob:
    """Start all ranks of one experiment on this machine.

    Args:
        job_text: what its supervisors need to know, see `launch.supervisor.job.local_job_text`.

    Raises:
        RefusedError: the runs root has a name that submitit can't work with, or is full; or
            others could have changed what would run.
    """
    require_trusted_launch(launch)
    require_path_without(_TAGS, launch)
    # The terminal's Ctrl-C goes to the controller too, which would kill its supervisors
    # within a second. It never unblocks the signals; the supervisors do.
    with held_back(PERSON), environment_variables(**{LOCAL_VARIABLE: job_text}):
        try:
            folder = launch.local_job(key)
            make_folder(launch.jobs, exist_ok=True)
            # What submitit puts there is a pickle, so code, which nobody else may touch.
            folder.mkdir(mode=0o700)
            executor = submitit.LocalExecutor(folder)
            executor.update_parameters(tasks_per_node=world_size, timeout_min=_NO_LIMIT_MIN)
            job = executor.submit(supervise, str(launch.path), experiment_id)
        except OSError as error:
            raise RefusedError(f"can't start experiment {experiment_id}: {error}") from error
    return SubmittedJob(key, launch, job)
