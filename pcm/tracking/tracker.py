"""What a tracker must be able to do, and where a tracker's name leads.

A tracker gets its data from the run directory alone, in a process of its own
(`pcm.tracking.follow`), so it may be slow, hang or die without training noticing.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from pcm.config.trackers import NO_TRACKER, TRACKERS, is_tracker
from pcm.errors import RefusedError
from pcm.run_dir import RunDir

Value = float | str | Path
"""A metric, a line of text, or the file of a picture."""


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


TrackerFactory = Callable[[RunDir, dict[str, Any]], Tracker]


def has_tracker(experiment: dict[str, Any]) -> bool:
    """Whether the experiment asks for more than the records in its run directory."""
    return TRACKERS.get(_name(experiment), "") is not None


def make_tracker(run_dir: RunDir, experiment: dict[str, Any]) -> Tracker | None:
    """The tracker that the experiment asks for, not yet open; None for `none` and `csv`.

    Raises:
        RefusedError: no tracker has that name. `my_pkg.my_module:MyTracker` names one's own.
    """
    name = _name(experiment)
    if not is_tracker(name):
        raise RefusedError(f"no tracker is called {name!r}", f"one of {', '.join(TRACKERS)}")
    target = TRACKERS.get(name, name)
    return None if target is None else _factory(name, target)(run_dir, experiment)


def _name(experiment: dict[str, Any]) -> str:
    request = experiment.get("tracker") or {}
    return str(request.get("name", NO_TRACKER))


def _factory(name: str, target: str) -> TrackerFactory:
    module, _, attribute = target.partition(":")
    try:
        return cast("TrackerFactory", getattr(importlib.import_module(module), attribute))
    except (ImportError, AttributeError) as error:
        raise RefusedError(f"cannot import the tracker {name!r}: {error}") from error
