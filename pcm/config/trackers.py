"""The trackers that metrics can go to besides the run directory."""

from collections.abc import Mapping

NO_TRACKER = "none"
"""Turns off, on the command line, what the grid file says."""

TRACKERS: Mapping[str, str | None] = {
    "neptune": "pcm.tracking.neptune_tracker:NeptuneTracker",
    "csv": None,
    NO_TRACKER: None,
}
"""Name -> the class that is called with (run directory, experiment record); None: the records in
the run directory are all."""


def is_tracker(name: str) -> bool:
    """Whether `tracker: {name: ...}` may be so: one of ours, or one's own as `module:Class`."""
    return name in TRACKERS or ":" in name
