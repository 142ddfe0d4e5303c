"""What has become of an experiment so far, as a tracker may show it."""

from enum import StrEnum

from pcm.run_dir import RunDir


class Outcome(StrEnum):
    """How things stand with training."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    """Asked to stop, or killed: another attempt may follow."""


def outcome_so_far(run_dir: RunDir) -> Outcome:
    """From the newest attempt's records; running as long as nobody has written of an end."""
    attempts = run_dir.attempts()
    if not attempts:
        return Outcome.RUNNING
    newest = attempts[-1]
    if newest.finished.exists():
        return Outcome.DONE
    # One that is asked to stop may fail at it, and its ranks then say so.
    if newest.failed.exists() or any(newest.path.glob("error-*.json")):
        return Outcome.FAILED
    if newest.stopped.exists() or any(newest.path.glob("outcome-*.json")):
        return Outcome.STOPPED
    return Outcome.RUNNING


def outcome_at_end(run_dir: RunDir) -> Outcome:
    """The same when training has just ended: one that left no word was killed."""
    outcome = outcome_so_far(run_dir)
    return Outcome.STOPPED if outcome is Outcome.RUNNING else outcome
