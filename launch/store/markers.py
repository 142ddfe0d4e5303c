"""Asking experiments to stop, keeping them from starting, and taking that back."""

import os
import re
import signal
import time
from contextlib import suppress

from launch.damage import DamagedError
from launch.machine.activity import STOPPED, activity_of
from launch.store import RunsRoot
from launch.store.records import names_in, supervisor_of
from launch.store.spreading import make_part
from pcm.run_dir import AttemptDir, RunDir, create_json
from pcm.run_dir.attempt_records import KillRecord, StopReason, StopRecord
from pcm.run_dir.checkpoints import read_own_manifests
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


def request_kill(run_dir: RunDir, attempt: AttemptDir, *, by: str, why: str) -> bool:
    """Ask a running attempt's supervisors to kill it; what it goes on from is said with it.

    Returns:
        Whether nobody had asked before.
    """
    if attempt.kill.exists():
        return False
    # Manifests that are damaged are told of elsewhere.
    newest = next(iter(read_own_manifests(run_dir.checkpoints, lambda _: None)), None)
    left = "starts anew" if newest is None else f"goes on from step {newest.step}"
    return create(attempt.kill, KillRecord(by, f"{why}; {left}", time.time()))


def cancel(root: RunsRoot, experiment_id: str) -> bool:
    """Stop an experiment for good, whether it runs or waits, until somebody resumes it.

    Returns:
        Whether it was not cancelled before.
    """
    marker = root.cancelled(experiment_id)
    make_part(marker.parent)
    # First the marker, then the attempt: one that starts just now sees the first.
    is_new = not marker.exists() and create_json(marker, {"time": time.time()})
    for attempt in root.run_dir(experiment_id).attempts()[-1:]:
        ends = (attempt.finished, attempt.stopped, attempt.failed)
        if not any(end.exists() for end in ends):
            request_stop(attempt, by="pcm cancel", reason="cancel")
    return is_new


def insist(root: RunsRoot, experiment_id: str) -> None:
    """Have what runs of a cancelled experiment killed, without another checkpoint."""
    run_dir = root.run_dir(experiment_id)
    for attempt in run_dir.attempts()[-1:]:
        ends = (attempt.finished, attempt.failed, attempt.verdict)
        if not any(end.exists() for end in ends):
            request_kill(run_dir, attempt, by="pcm cancel --now", why="killed")
            _kill_stopped_supervisors(attempt)


def _kill_stopped_supervisors(attempt: AttemptDir) -> None:
    """Of this machine: what a signal has stopped kills nobody, and takes its training with it."""
    for name in sorted(names_in(attempt.path)):
        match = re.fullmatch(r"supervisor-(\d+)\.json", name)
        if match is None:
            continue
        process = supervisor_of(attempt, int(match[1]))
        activity = None if process is None else activity_of(process)
        if process is not None and activity is not None and activity.state in STOPPED:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process.pid, signal.SIGKILL)


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
