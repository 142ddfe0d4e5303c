"""The records of how one rank's training ended."""

import sys
import traceback
from contextlib import suppress

from lightning.pytorch import Trainer

from pcm.console import tell
from pcm.errors import ExitCode, PcmError
from pcm.internals import loops
from pcm.rank.insisting import insist
from pcm.rank.task import Task, record_error
from pcm.run_dir import write_metrics_table
from pcm.run_dir.records import ErrorRecord, FinishedRecord
from pcm.run_dir.typed_json import write
from pcm.secret_values import scrub
from pcm.training.timeouts import is_timeout


def write_table(task: Task) -> None:
    """Write the journal once more as a plain table; on rank 0."""
    if task.ranks.is_first:
        write_metrics_table(task.run_dir.metrics, task.run_dir.metrics_table)


def record_finish(task: Task, trainer: Trainer) -> None:
    """Write `finished.json`; on rank 0."""
    record = FinishedRecord(
        step=loops.steps_done(trainer),
        epoch=loops.epoch_of(trainer),
        metrics={name: float(value) for name, value in trainer.callback_metrics.items()},
    )
    if task.ranks.is_first:
        insist(lambda: write(task.attempt.finished, record), lambda _: None)


def _as_raised(error: BaseException) -> BaseException:
    """Before Lightning made a plain exit of it, as it does of a KeyboardInterrupt."""
    is_exit_of_interrupt = isinstance(error, SystemExit) and isinstance(
        error.__context__, KeyboardInterrupt
    )
    return error.__context__ or error if is_exit_of_interrupt else error


def record_failure(task: Task, error: BaseException) -> ExitCode:
    """Write this rank's error record, and tell a person; on every rank that fails."""
    error = _as_raised(error)
    rank, trace = task.ranks.rank, scrub("".join(traceback.format_exception(error)))
    if isinstance(error, PcmError):
        tell(f"rank {rank}: {error}")
        code = error.exit_code
    elif isinstance(error, KeyboardInterrupt | SystemExit):
        is_exit = isinstance(error, SystemExit)
        if is_exit:
            print(trace, end="", file=sys.stderr)
        what = "its code called for an exit" if is_exit else "interrupted"
        tell(f"rank {rank}: {what}; what came after the last checkpoint is lost")
        code = ExitCode.INTERRUPTED
    else:
        print(trace, end="", file=sys.stderr)
        code = ExitCode.EXPERIMENT_FAILED
    sys.stderr.flush()
    record = ErrorRecord(
        type=type(error).__name__,
        message=scrub(str(error)),
        traceback=trace,
        rank=rank,
        timed_out=is_timeout(error) or None,
    )
    record_error(task, record)
    with suppress(OSError):
        write_table(task)
    return code
