"""What an experiment took: its attempts, from their first second to their last sign of life."""

from dataclasses import dataclass

from launch.site import Resources, pack_of
from launch.store import Experiment
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import AttemptRecord, ProgressRecord
from pcm.run_dir.records import OutcomeRecord
from pcm.run_dir.typed_json import read


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took.

    Attributes:
        hours: of wall time, over all attempts, also of what was computed twice.
        gpu_hours: the same times the GPUs that it asks for, or its part of those that it shared.
    """

    attempts: int = 0
    hours: float = 0.0
    gpu_hours: float = 0.0


def cost_of(experiment: Experiment) -> Cost:
    """The cost so far; an attempt that left no end counts up to its last sign of life."""
    attempts = experiment.run_dir.attempts()
    seconds, resources = [seconds_of(each) for each in attempts], experiment.resources
    shares = [_share(each, resources) for each in attempts]
    gpu_seconds = sum(each * share for each, share in zip(seconds, shares, strict=True))
    return Cost(len(attempts), sum(seconds) / 3600, gpu_seconds * resources.gpus / 3600)


def _share(attempt: AttemptDir, resources: Resources) -> float:
    """The part of its GPUs that an attempt had; all of them outside of packs."""
    pack = pack_of(resources)
    if pack is None:
        return 1.0
    record = read(AttemptRecord, attempt.attempt)
    is_packed = isinstance(record, AttemptRecord) and record.is_packed
    return 1 / pack.per_gpu if is_packed else 1.0


def seconds_of(attempt: AttemptDir) -> float:
    """Wall time of one attempt; 0 where its records don't tell."""
    record, end = read(AttemptRecord, attempt.attempt), end_of(attempt)
    if not isinstance(record, AttemptRecord) or record.started is None or end is None:
        return 0.0
    return max(0.0, end - record.started)


def end_of(attempt: AttemptDir) -> float | None:
    """Seconds since the epoch: when rank 0 ended, else when it last said something."""
    outcome = read(OutcomeRecord, attempt.outcome(0))
    if isinstance(outcome, OutcomeRecord) and outcome.ended is not None:
        return outcome.ended
    progress = read(ProgressRecord, attempt.progress)
    return progress.time if isinstance(progress, ProgressRecord) else None
