"""Feeding trackers: at once, or beside training in a process of its own.

That process shares nothing with training but the run directory and a pipe whose end tells
it that training has ended, however that came about. So a tracker can neither slow training
down, nor draw from its random generators, nor take its signals, nor keep it from exiting.

Several trackers are fed on a thread each, so that one that is down holds up no other.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import BaseFileLock, FileLock, Timeout

from pcm.errors import RefusedError
from pcm.run_dir import RunDir, read_json
from pcm.tracking.feeder import Feeder
from pcm.tracking.outcome import outcome_at_end, outcome_so_far
from pcm.tracking.reasons import reason_of
from pcm.tracking.tracker import Tracker, make_tracker, store_lock, wanted_trackers

_INTERVAL = 2.0
"""Seconds between two looks at the journal."""

_LONGEST_PAUSE = 600.0
"""Seconds between two tries of a tracker that keeps failing."""

Request = Mapping[str, Any] | None
"""`name` and `project` of a tracker; None for an experiment that asks for none."""

T = TypeVar("T")


class BusyError(RefusedError):
    """Another process feeds the tracker at this moment."""


def sync_run(run_dir: RunDir) -> int:
    """Bring the experiment's tracker runs up to date, from the run directory alone.

    Returns:
        How many points were sent; what a tracker has already is not sent again.

    Raises:
        RefusedError: the experiment has no tracker, or one that has no server here; a
            tracker failed; or training is feeding it at this moment.
    """
    results = sync_trackers(run_dir)
    refusals = [result for result in results.values() if isinstance(result, RefusedError)]
    if refusals:
        raise refusals[0]
    return sum(result for result in results.values() if isinstance(result, int))


def sync_trackers(run_dir: RunDir, to: Sequence[str] = ()) -> dict[str, int | RefusedError]:
    """The same tracker by tracker: points sent, or why not.

    Args:
        to: names of trackers; without, those that the experiment asks for.

    Raises:
        BusyError: another process does the same at this moment.
    """
    requests = requests_of(run_dir, to)
    with _at_once(run_dir, run_dir.tracker_lock):
        results = _each(partial(sync_tracker, run_dir), requests)
    return dict(zip(map(name_of, requests), results, strict=True))


def sync_tracker(run_dir: RunDir, request: Request) -> int | RefusedError:
    """The same for one tracker."""
    experiment = read_json(run_dir.experiment) or {}
    try:
        return _sync(run_dir, experiment, request)
    except RefusedError as error:
        return error
    except Exception as error:
        return RefusedError(f"the tracker failed: {reason_of(error)}")


def follow(run_dir: RunDir, ended: threading.Event, warn: Callable[[str], None]) -> None:
    """Feed the trackers until training has ended, and then once more.

    A failure is told once; the tracker is then tried again after growing pauses.
    """
    experiment = read_json(run_dir.experiment) or {}

    def feed(request: Request) -> None:
        def tell(error: Exception) -> None:
            warn(_failure_warning(run_dir, request, error))

        try:
            _follow(run_dir, experiment, request, ended, tell)
        except Exception as error:
            tell(error)

    _each(feed, _requests(experiment))


def _sync(run_dir: RunDir, experiment: dict[str, Any], request: Request) -> int:
    tracker = _tracker(run_dir, experiment, request)
    if tracker.local:
        raise RefusedError("the tracker has no server here to send to", _SERVER_HINT)
    of_store = store_lock(tracker)
    with (
        _at_once(run_dir, run_dir.feeding_lock(name_of(request))),
        nullcontext() if of_store is None else FileLock(of_store),
        _feeder(run_dir, tracker) as feeder,
    ):
        sent = feeder.feed()
        feeder.finish(outcome_so_far(run_dir))
    return sent


def _follow(
    run_dir: RunDir,
    experiment: dict[str, Any],
    request: Request,
    ended: threading.Event,
    tell: Callable[[Exception], None],
) -> None:
    tracker = _tracker(run_dir, experiment, request)
    if store_lock(tracker) is not None:
        raise RefusedError("its store takes one writer alone, so no job writes to it")
    lock = FileLock(run_dir.feeding_lock(name_of(request)))
    with _feeder(run_dir, tracker) as feeder, _released(lock):
        _feed_until(ended, feeder, lock, tell)
        feeder.finish(outcome_at_end(run_dir))


def _feed_until(
    ended: threading.Event, feeder: Feeder, lock: BaseFileLock, tell: Callable[[Exception], None]
) -> None:
    """Hold the lock as long as the tracker takes what is sent; else `pcm sync` may try."""
    pause = _INTERVAL
    is_told = finished = False
    while not finished:
        finished = ended.is_set()
        # A process of an earlier attempt may still be busy with its last words.
        if not lock.is_locked:
            lock.acquire()
        try:
            feeder.feed()
            pause = _INTERVAL
        except Exception as error:
            lock.release()
            if not is_told:
                tell(error)
            is_told = True
            pause = min(2 * pause, _LONGEST_PAUSE)
        if not finished:
            ended.wait(pause)


def requests_of(run_dir: RunDir, to: Sequence[str]) -> Sequence[Request]:
    """What the experiment asks of the trackers `to`, or of those that it names; at least one."""
    return _requests(read_json(run_dir.experiment) or {}, to)


def _requests(experiment: dict[str, Any], to: Sequence[str] = ()) -> Sequence[Request]:
    wanted = wanted_trackers(experiment)
    if not to:
        return [*wanted] or [None]
    there = {request["name"]: request for request in wanted}
    return [there.get(name, {"name": name, "project": None}) for name in dict.fromkeys(to)]


def name_of(request: Request) -> str:
    """The tracker's name."""
    return "none" if request is None else str(request["name"])


def _tracker(run_dir: RunDir, experiment: dict[str, Any], request: Request) -> Tracker:
    tracker = make_tracker(run_dir, experiment | {"tracker": request})
    if tracker is None:
        raise RefusedError(f"the experiment in {run_dir.path} asks for no tracker")
    return tracker


@contextmanager
def _feeder(run_dir: RunDir, tracker: Tracker) -> Iterator[Feeder]:
    feeder = Feeder(run_dir, tracker)
    try:
        yield feeder
    finally:
        feeder.close()


def _each(act: Callable[[Request], T], requests: Sequence[Request]) -> list[T]:
    """What `act`, which fails for nobody, returns of each, all at the same time."""
    if len(requests) == 1:
        return [act(requests[0])]
    results: dict[int, T] = {}

    def keep(index: int) -> None:
        results[index] = act(requests[index])

    # A pool's threads would be waited for at Ctrl-C, too, however long a client hangs.
    threads = [threading.Thread(target=keep, args=(i,), daemon=True) for i in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[index] for index in range(len(requests))]


@contextmanager
def _at_once(run_dir: RunDir, lock: Path) -> Iterator[None]:
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise BusyError(f"another process feeds the tracker of {run_dir.path}") from None


@contextmanager
def _released(lock: BaseFileLock) -> Iterator[None]:
    """Take no lock, but leave none behind."""
    try:
        yield
    finally:
        lock.release(force=True)


def late_warning(run_dir: RunDir, grace: float) -> str:
    """For a tracker that was too slow at the end."""
    return f"the tracker did not take everything within {grace:.0f} s\n{_remedy(run_dir)}"


def _failure_warning(run_dir: RunDir, request: Request, error: Exception) -> str:
    which = "" if request is None else f" ({name_of(request)})"
    return f"the tracker failed{which}: {reason_of(error)}\n{_remedy(run_dir)}"


def _remedy(run_dir: RunDir) -> str:
    return (
        f"  training is not affected, and all metrics are in {run_dir.metrics};\n"
        "  the tracker gets the rest in this attempt, in the next one, or by\n"
        f"  pcm sync {run_dir.path.name}"
    )


_SERVER_HINT = (
    "for Neptune, set NEPTUNE_API_TOKEN, and NEPTUNE_PROJECT or the grid's tracker.project; "
    "for Weights & Biases, WANDB_API_KEY; for MLflow, MLFLOW_TRACKING_URI"
)
