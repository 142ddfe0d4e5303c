"""How long training may take to obey a request to stop, before it is killed."""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from launch.machine.activity import activity_of
from launch.machine.processes import Process
from launch.store.records import names_in
from launch.supervisor.attempt import Attempt
from launch.text import span
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import ProgressRecord
from pcm.run_dir.typed_json import read

VARIABLE = "PCM_STOP_MINUTES"

LEAST_S = 60.0
"""Nobody is killed sooner; PCM_STOP_MINUTES says otherwise."""

SAVING_S = 1800.0
"""While a checkpoint is on its way to the disk, which may be slow to flush what it took at once."""


def least_seconds(environment: Mapping[str, str]) -> float:
    """The least patience that the user wants; what is no positive number is not heeded."""
    try:
        seconds = 60 * float(environment[VARIABLE])
    except (KeyError, ValueError):
        return LEAST_S
    return seconds if seconds > 0 else LEAST_S


class Patience:
    """Of a supervisor with its training process.

    Rank 0's decides for all, since its rank is the one that saves. Training stops between two
    steps. So it has had its chance after twice the longest step; what counts as obeying is that
    it writes, since a checkpoint may be large. The other ranks' have patience with those that
    outlive rank 0.
    """

    def __init__(self, attempt: Attempt, rank: int) -> None:
        self._attempt = attempt
        self._rank = rank
        self._least_s = least_seconds(os.environ)
        self._seen: object = None
        self._since = 0.0
        self._asked: float | None = None

    def is_over(self, training: Process, is_there: Callable[[Path], bool] = Path.exists) -> bool:
        """Whether training has had all the time that it needs to stop; asked once a second.

        Args:
            is_there: whether a file of the attempt is.
        """
        files = self._attempt.files
        sign = files.stop if self._rank == 0 else files.outcome(0)
        if not is_there(sign):
            return False
        now = time.monotonic()
        if self._asked is None:
            self._asked = now
        progress = _progress(files)
        is_saving = progress.phase == "checkpointing"
        written = _sizes(self._attempt.run_dir.checkpoints)
        mark = (is_saving, files.stopped.exists(), files.finished.exists(), written)
        if mark != self._seen:
            self._seen, self._since = mark, now
        if self._rank == 0 and is_saving and _is_incomplete(written) and not _is_stopped(training):
            return now - self._since > max(SAVING_S, self._limit())
        return now - self._since > self._limit()

    def is_past(self, since: float) -> bool:
        """Whether more than the least time has passed since then, by the monotonic clock."""
        return time.monotonic() - since > self._least_s

    @property
    def complaint(self) -> str:
        """What to tell of one that is killed for it."""
        asked = self._since if self._asked is None else self._asked
        return f"did not obey for {span(time.monotonic() - asked)}, killed"

    def _limit(self) -> float:
        attempts = self._attempt.run_dir.attempts()
        longest = max((_progress(files).longest_step or 0.0 for files in attempts), default=0.0)
        return max(self._least_s, 2 * longest)


def _sizes(folder: Path) -> dict[str, int]:
    """Of the files in a folder, by their names."""
    sizes = {}
    for name in names_in(folder):
        with suppress(OSError):
            sizes[name] = (folder / name).stat().st_size
    return sizes


def _is_incomplete(written: Mapping[str, int]) -> bool:
    """Whether a checkpoint is still being written, or is without the manifest that commits it."""
    return any(
        name.endswith(".tmp") or (name.endswith(".ckpt") and f"{name}.json" not in written)
        for name in written
    )


def _is_stopped(training: Process) -> bool:
    activity = activity_of(training)
    return activity is None or activity.stopped > 0


def _progress(files: AttemptDir) -> ProgressRecord:
    record = read(ProgressRecord, files.progress)
    return record if isinstance(record, ProgressRecord) else ProgressRecord()
