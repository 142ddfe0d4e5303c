"""Asking experiments to stop, keeping them from starting, and taking that back."""

import time

from launch.damage import DamagedError
from launch.store import RunsRoot
from pcm.run_dir import AttemptDir, create_json
from pcm.run_dir.records import StopReason, StopRecord
from pcm.run_dir.typed_json import Damaged, create


def request_stop(attempt: AttemptDir, *, by: str, reason: str) -> bool:
    """Ask a running attempt for a checkpoint and its end; the first to ask is remembered.

    Args:
        by: who asks, e.g. "Ctrl-C", "pcm cancel".
        reason: `cancel`, `interrupt`, `preempted` or `time_limit`.

    Returns:
        Whether nobody had asked before.
    """
    if attempt.stop.exists():
        return False
    return create(attempt.stop, StopRecord(by, StopReason(reason), time.time()))


def cancel(root: RunsRoot, experiment_id: str) -> bool:
    """Stop an experiment for good, whether it runs or waits, until somebody resumes it.

    Returns:
        Whether it was not cancelled before.
    """
    marker = root.cancelled(experiment_id)
    marker.parent.mkdir(parents=True, exist_ok=True)
    # First the marker, then the attempt: one that starts just now sees the first.
    is_new = not marker.exists() and create_json(marker, {"time": time.time()})
    for attempt in root.run_dir(experiment_id).attempts()[-1:]:
        ends = (attempt.finished, attempt.stopped, attempt.failed)
        if not any(end.exists() for end in ends):
            request_stop(attempt, by="pcm cancel", reason="cancel")
    return is_new


def uncancel(root: RunsRoot, experiment_id: str) -> None:
    """Let a cancelled experiment start again.

    Raises:
        DamagedError: the marker is none that can be removed.
    """
    marker = root.cancelled(experiment_id)
    try:
        marker.unlink(missing_ok=True)
    except OSError as error:
        raise DamagedError(Damaged(marker, f"it can't be removed: {error.strerror}")) from None
