"""What one training process is to do, and the records of what becomes of it; needs no torch."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from pcm.errors import ExitCode
from pcm.rank.insisting import insist
from pcm.rank.ranks import Ranks
from pcm.rank.stop import StopRequest
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import StoppedRecord
from pcm.run_dir.checkpoints import read_own_manifests
from pcm.run_dir.records import ErrorRecord, UnkeptRecord
from pcm.run_dir.typed_json import write


@dataclass(frozen=True, slots=True)
class Task:
    """One rank of one attempt of one experiment.

    Attributes:
        checkpoint: the one asked for: a name, `best`, `last`; None for the newest.
    """

    run_dir: RunDir
    attempt: AttemptDir
    checkpoint: str | None
    ranks: Ranks
    stop: StopRequest


def record_stop(task: Task, record: StoppedRecord) -> None:
    """Write `stopped.json`; everything else that matters is on disk by now."""
    insist(lambda: write(task.attempt.stopped, record), lambda _: None)


def record_unkept(task: Task, attributes: Sequence[str]) -> None:
    """Write `unkept.json`, on rank 0; the log of every rank has the same."""
    if task.ranks.is_first:
        # Whatever is wrong with the disk, checkpoints will tell, and may find room in a moment.
        with suppress(OSError):
            write(task.attempt.unkept, UnkeptRecord(list(attributes)))


def record_error(task: Task, record: ErrorRecord) -> None:
    """Write `error-R.json`, where others find why training ended; free of secrets by now."""
    # A full disk may be the very error that is to be recorded.
    with suppress(OSError):
        write(task.attempt.error(task.ranks.rank), record, private=True)


def leave_at_once(task: Task) -> ExitCode:
    """Record the stop of an attempt that has done nothing."""
    newest = next(iter(read_own_manifests(task.run_dir.checkpoints)), None)
    if newest is None:
        record = StoppedRecord(None, step=0, epoch=0, reason=task.stop.reason)
    else:
        record = StoppedRecord(newest.file, newest.step, newest.epoch, task.stop.reason)
    record_stop(task, record)
    return ExitCode.STOPPED
