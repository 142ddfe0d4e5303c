"""What an experiment took: its attempts, from their first second to their last sign of life."""

from dataclasses import dataclass

from launch.store import Experiment
from pcm.run_dir import AttemptDir
from pcm.run_dir.records import AttemptRecord, OutcomeRecord, ProgressRecord
from pcm.run_dir.typed_json import read


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took.

    Attributes:
        hours: of wall time, over all attempts, also of what was computed twice.
        gpu_hours: the same times the GPUs that it asks for.
    """

    attempts: int = 0
    hours: float = 0.0
    gpu_hours: float = 0.0


def cost_of(experiment: Experiment) -> Cost:
    """The cost so far; an attempt that left no end counts up to its last sign of life."""
    attempts = experiment.run_dir.attempts()
    hours = sum(map(seconds_of, attempts)) / 3600
    return Cost(len(attempts), hours, hours * experiment.resources.gpus)


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
