"""What one training process is to do, and the record of its stop; needs no torch."""

from dataclasses import dataclass

from pcm.errors import ExitCode
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.checkpoints import read_own_manifests
from pcm.run_dir.records import StoppedRecord
from pcm.run_dir.typed_json import write
from pcm.training.insisting import insist
from pcm.training.ranks import Ranks
from pcm.training.stop import StopRequest


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


def leave_at_once(task: Task) -> ExitCode:
    """Record the stop of an attempt that has done nothing."""
    newest = next(iter(read_own_manifests(task.run_dir.checkpoints)), None)
    if newest is None:
        record = StoppedRecord(None, step=0, epoch=0, reason=task.stop.reason)
    else:
        record = StoppedRecord(newest.file, newest.step, newest.epoch, task.stop.reason)
    record_stop(task, record)
    return ExitCode.STOPPED
