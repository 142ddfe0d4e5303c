"""Metrics, pictures and configs, to the run directory first and from there to a tracker."""

from typing import TYPE_CHECKING, Any

from pcm.tracking.follow import sync_run
from pcm.tracking.tracker import Point, Tracker, make_tracker

if TYPE_CHECKING:
    from pcm.tracking.logger import RunLogger

__all__ = ["Point", "RunLogger", "Tracker", "make_tracker", "sync_run"]


def __getattr__(name: str) -> Any:
    # Only training needs the logger, and with it Lightning, whose import takes seconds.
    if name == "RunLogger":
        from pcm.tracking.logger import RunLogger

        return RunLogger
    raise AttributeError(name)
