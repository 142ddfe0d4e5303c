"""Feeding a tracker: at once, or beside training in a process of its own.

That process shares nothing with training but the run directory and a pipe whose end tells
it that training has ended, however that came about. So a tracker can neither slow training
down, nor draw from its random generators, nor take its signals, nor keep it from exiting.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pcm.config.secrets import scrub
from pcm.errors import RefusedError
from pcm.run_dir import RunDir, read_json
from pcm.tracking.feeder import Feeder
from pcm.tracking.tracker import make_tracker

_INTERVAL = 2.0
"""Seconds between two looks at the journal."""

_LONGEST_PAUSE = 600.0
"""Seconds between two tries of a tracker that keeps failing."""


def sync_run(run_dir: RunDir) -> int:
    """Bring the experiment's tracker run up to date, from the run directory alone.

    Returns:
        How many points were sent; what the tracker has already is not sent again.

    Raises:
        RefusedError: the experiment has no tracker, or one that has no server here; the
            tracker failed; or training is feeding it at this moment.
    """
    try:
        with FileLock(run_dir.tracker_lock, timeout=0), _feeder(run_dir, remote=True) as feeder:
            return feeder.feed()
    except Timeout:
        raise RefusedError(f"another process feeds the tracker of {run_dir.path}") from None
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"the tracker failed: {scrub(repr(error))}") from None


def follow(run_dir: RunDir, ended: threading.Event, warn: Callable[[str], None]) -> None:
    """Feed the tracker until training has ended, and then once more.

    A failure is told once; the tracker is then tried again after growing pauses.
    """
    try:
        # A process of an earlier attempt may still be busy with its last words.
        with FileLock(run_dir.tracker_lock), _feeder(run_dir) as feeder:
            _feed_until(ended, feeder, lambda error: warn(_failure_warning(run_dir, error)))
    except Exception as error:
        warn(_failure_warning(run_dir, error))


def _feed_until(ended: threading.Event, feeder: Feeder, tell: Callable[[Exception], None]) -> None:
    pause = _INTERVAL
    is_told = finished = False
    while not finished:
        finished = ended.is_set()
        try:
            feeder.feed()
            pause = _INTERVAL
        except Exception as error:
            if not is_told:
                tell(error)
            is_told = True
            pause = min(2 * pause, _LONGEST_PAUSE)
        if not finished:
            ended.wait(pause)


@contextmanager
def _feeder(run_dir: RunDir, *, remote: bool = False) -> Iterator[Feeder]:
    tracker = make_tracker(run_dir, read_json(run_dir.experiment) or {})
    if tracker is None:
        raise RefusedError(f"the experiment in {run_dir.path} asks for no tracker")
    if remote and tracker.local:
        raise RefusedError("the tracker has no server here to send to", _SERVER_HINT)
    feeder = Feeder(run_dir, tracker)
    try:
        yield feeder
    finally:
        feeder.close()


def late_warning(run_dir: RunDir, grace: float) -> str:
    """For a tracker that was too slow at the end."""
    return f"the tracker did not take everything within {grace:.0f} s\n{_remedy(run_dir)}"


def _failure_warning(run_dir: RunDir, error: Exception) -> str:
    reason = str(error) if isinstance(error, RefusedError) else repr(error)
    return f"the tracker failed: {scrub(reason)}\n{_remedy(run_dir)}"


def _remedy(run_dir: RunDir) -> str:
    return (
        f"  training is not affected, and all metrics are in {run_dir.metrics};\n"
        "  the tracker gets the rest in this attempt, in the next one, or by\n"
        f"  pcm sync {run_dir.path.name}"
    )


_SERVER_HINT = (
    "for Neptune, set NEPTUNE_API_TOKEN, and NEPTUNE_PROJECT or the grid's tracker.project"
)
