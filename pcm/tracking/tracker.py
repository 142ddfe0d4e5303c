"""What a tracker must be able to do, and where a tracker's name leads.

A tracker gets its data from the run directory alone, in a process of its own
(`pcm.tracking.follow`), so it may be slow, hang or die without training noticing.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from pcm.config.trackers import NO_TRACKER, TRACKERS, is_tracker, plugins, requested
from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.secret_values import scrub
from pcm.tracking.outcome import Outcome

Value = float | str | Path
"""A metric, a line of text, or the file of a picture."""


SYSTEM = "system/"
"""Before the names of series about the machine, such as `system/gpu_0_utilization`."""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series.

    Attributes:
        step: training batches done.
        time: seconds since the epoch.
    """

    step: int
    time: float
    value: Value


class Tracker(Protocol):
    """One experiment's run in one tracking service. Methods raise whatever goes wrong."""

    slot: str
    """Names this tracker's record in `tracker.json`."""

    local: bool
    """Whether it writes files only, for want of a server."""

    def open(self, runs: Sequence[str]) -> str:
        """Start a run, or continue one.

        Args:
            runs: ids that earlier calls returned, oldest first.

        Returns:
            The id of the run that is open now.
        """

    def describe(self, fields: Mapping[str, str | int | float | bool], tags: Sequence[str]) -> None:
        """Set fields and tags; called at every opening, so it must not add up."""

    def log(self, key: str, points: Sequence[Point]) -> None:
        """Append to the series `key`; all points are of one type and their steps increase."""

    def flush(self) -> None:
        """Return when everything logged so far would survive the death of this process."""

    def last_step(self, key: str, otherwise: int) -> int:
        """The highest step that the run holds under `key`.

        Returns:
            -1 for no step at all; `otherwise` where the tracker cannot tell.
        """

    def close(self) -> None:
        """End the connection; the run can be opened again."""


@runtime_checkable
class ShowsOutcome(Protocol):
    """A tracker that also shows how training stands."""

    def finish(self, outcome: Outcome) -> None:
        """Show it; called after the last point, before `close`, of each feeding."""


@runtime_checkable
class TakesSystem(Protocol):
    """A tracker that has a place for what the machine does, too."""

    def log_system(self, key: str, points: Sequence[Point]) -> None:
        """As `log`, but for the steps, which are seconds since the experiment's first start."""


def has_found_run(tracker: Tracker) -> bool:
    """Whether `open` came upon a run of which our record may be wrong: its `found`, if it has one.

    It was there and our record of it was lost, or its client keeps points in memory that die
    with it. What such a run holds is asked for, series by series, before anything is sent.
    """
    return bool(getattr(tracker, "found", False))


def store_lock(tracker: Tracker) -> Path | None:
    """Its `store_lock`, if it has one: the lock of a store that bears one writer alone.

    No job writes to such a store; `pcm sync` does, one experiment after the other.
    """
    return cast("Path | None", getattr(tracker, "store_lock", None))


TrackerFactory = Callable[[RunDir, dict[str, Any]], Tracker]


def wanted_trackers(experiment: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that the experiment asks for besides the records in its run directory."""
    requests = requested(experiment.get("tracker"))
    return [request for request in requests if TRACKERS.get(_name(request), "") is not None]


def has_tracker(experiment: Mapping[str, Any]) -> bool:
    """Whether the experiment asks for more than the records in its run directory."""
    return bool(wanted_trackers(experiment))


def make_tracker(run_dir: RunDir, experiment: dict[str, Any]) -> Tracker | None:
    """The one tracker that the record asks for, not yet open; None for `none` and `csv`.

    Raises:
        RefusedError: no tracker has that name. `my_pkg.my_module:MyTracker` names one's own.
    """
    name = _name(experiment.get("tracker") or {})
    if not is_tracker(name):
        raise RefusedError(f"no tracker is called {name!r}", f"one of {', '.join(TRACKERS)}")
    target = TRACKERS[name] if name in TRACKERS else plugins().get(name, name)
    return None if target is None else _factory(name, target)(run_dir, experiment)


def _name(request: Mapping[str, Any]) -> str:
    return str(request.get("name", NO_TRACKER))


def _factory(name: str, target: str) -> TrackerFactory:
    module, _, attribute = target.partition(":")
    try:
        return cast("TrackerFactory", getattr(importlib.import_module(module), attribute))
    except (Exception, SystemExit) as error:
        # Whatever its module does at its import: one that ends the process would end all others.
        reason = scrub(str(error) or repr(error))
        raise RefusedError(f"cannot import the tracker {name!r}: {reason}") from error


def missing_client(name: str, error: ImportError) -> RefusedError:
    """For a tracker whose client is not installed; each has an extra of its own."""
    remedy = f"pip install 'pcm-launch[{name}]'"
    return RefusedError(f"the tracker {name} is not installed ({error})", remedy)
