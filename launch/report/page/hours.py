"""Where a sweep's hours went: useful, computed again after a kill, waited for in a queue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.results.cost import end_of
from launch.store import Experiment, RunsRoot
from launch.store.submissions import all_submissions
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.journal import lost_seconds
from pcm.run_dir.typed_json import read


@dataclass(frozen=True, slots=True)
class Hours:
    """Of one experiment, over all attempts.

    Attributes:
        ran: from each attempt's first second to its last sign of life.
        repeated: of these, what was logged and then lost with a kill.
        queued: between handing over, or an attempt's end, and the next one's start; None where
            no record tells.
    """

    ran: float = 0.0
    repeated: float = 0.0
    queued: float | None = None


def hours_of(experiments: Sequence[Experiment]) -> list[Hours]:
    """Each experiment's, as far as its records tell."""
    handed_over = _handed_over({each.launch.root for each in experiments})
    return [_hours(each.run_dir, handed_over) for each in experiments]


def _hours(run_dir: RunDir, handed_over: Mapping[str, float]) -> Hours:
    attempts = [(files, _record(files)) for files in run_dir.attempts()]
    ran = sum(
        max(0.0, (end_of(files) or record.started) - record.started)
        for files, record in attempts
        if record.started is not None
    )
    repeated = lost_seconds(run_dir.metrics) if len(attempts) > 1 else 0.0
    queued = _queued_seconds(attempts, handed_over)
    return Hours(ran / 3600, repeated / 3600, None if queued is None else queued / 3600)


def _record(files: AttemptDir) -> AttemptRecord:
    record = read(AttemptRecord, files.attempt)
    return record if isinstance(record, AttemptRecord) else AttemptRecord()


def _queued_seconds(
    attempts: Sequence[tuple[AttemptDir, AttemptRecord]], handed_over: Mapping[str, float]
) -> float | None:
    waits = []
    before: tuple[AttemptDir, AttemptRecord] | None = None
    for files, record in attempts:
        since = handed_over.get(record.token or "")
        if before is not None and record.job_id and before[1].job_id == record.job_id:
            since = end_of(before[0])
        if since is not None and record.started is not None:
            waits.append(max(0.0, record.started - since))
        before = (files, record)
    return sum(waits) if waits else None


def _handed_over(roots: Iterable[Path]) -> dict[str, float]:
    """When each array was handed to Slurm, by its token."""
    return {
        submission.token: submission.settled
        for root in roots
        for submission in all_submissions(RunsRoot(root))
    }
