"""One experiment of a local launcher while it runs: seen by its processes, and few looks at files.

A file server may hold the runs folder, and a launcher may watch dozens of experiments.
"""

import time
from dataclasses import dataclass, field, replace

from launch.damage import whole
from launch.machine.processes import Process, kill_group
from launch.slurm.queue import NOT_ASKED
from launch.status.progress import read_progress
from launch.status.state import State, Status
from launch.status.statuses import read_status
from launch.store import Experiment
from launch.store.records import newest_attempt, supervisor_of, training_of
from launch.submit.local_job import LocalJob
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.typed_json import read

PROGRESS_S = 0.5
"""Between two looks at how far training is, and for an attempt that has yet to begin."""

FULL_S = 10.0
"""Between two looks at everything else: what others have asked of it, and how it fares."""

OFTEN = 2
"""With more experiments than these, each is looked at more seldom, so that all of them together
ask a file server no more often."""


@dataclass(eq=False)
class Watched:
    """An experiment that runs, and the GPUs that it has for itself."""

    experiment: Experiment
    submitted: LocalJob
    devices: list[str]
    _attempt: AttemptDir | None = field(default=None, init=False)
    _sought: float = field(default=0.0, init=False)
    _status: Status = field(default_factory=lambda: Status(State.RUNNING, "starting"), init=False)
    _looked: float = field(default=0.0, init=False)
    _progress_read: float = field(default=0.0, init=False)

    def attempt(self) -> AttemptDir | None:
        """Its attempt; None before its supervisor has made one."""
        now = time.monotonic()
        is_due = now > self._sought + PROGRESS_S or self.submitted.is_over
        if self._attempt is None and is_due:
            self._sought = now
            files = newest_attempt(self.experiment.run_dir)
            record = None if files is None else whole(read(AttemptRecord, files.attempt))
            if record is not None and record.key == self.submitted.key:
                self._attempt = files
        return self._attempt

    def status(self, *, is_stopping: bool, among: int = 1) -> Status:
        """Where it stands; the attempt before says nothing of it.

        Args:
            is_stopping: whether a person waits for its end.
            among: so many experiments are watched.
        """
        files, now = self.attempt(), time.monotonic()
        slower = 1.0 if is_stopping else max(1.0, among / OFTEN)
        if files is None or now < self._progress_read + PROGRESS_S * slower:
            return self._status
        self._progress_read = now
        is_starting = self._status.progress is None
        if is_starting or is_stopping or now > self._looked + FULL_S * slower:
            self._looked = now
            self._status = read_status(self.experiment, NOT_ASKED)
        elif (progress := read_progress(files)) is not None:
            self._status = replace(self._status, progress=progress)
        return self._status

    def is_over(self) -> bool:
        """Whether nothing of it runs any more; supervisors may outlive a killed controller."""
        return self.submitted.is_over and not any(
            process.is_alive for process in self._each(is_training=False)
        )

    def sweep(self) -> None:
        """End what killed supervisors left behind."""
        for leader in self._each(is_training=True):
            kill_group(leader)

    def has_all_outcomes(self) -> bool:
        """Whether every rank's supervisor told how its rank ended."""
        files = self.attempt()
        ranks = range(self.experiment.world_size)
        return files is not None and all(files.outcome(rank).exists() for rank in ranks)

    def _each(self, *, is_training: bool) -> list[Process]:
        """The supervisor, or the training process, of each rank that has begun."""
        files = self.attempt()
        if files is None:
            return []
        process_of = training_of if is_training else supervisor_of
        processes = (process_of(files, rank) for rank in range(self.experiment.world_size))
        return [process for process in processes if process is not None]
