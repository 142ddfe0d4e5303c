"""The trackers that metrics can go to besides the run directory, and how they are asked for."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

NO_TRACKER = "none"
"""Turns off, on the command line, what the grid file says."""

TRACKERS: Mapping[str, str | None] = {
    "csv": None,
    "tensorboard": "pcm.tracking.tensorboard_tracker:TensorBoardTracker",
    "wandb": "pcm.tracking.wandb_tracker:WandbTracker",
    "mlflow": "pcm.tracking.mlflow_tracker:MlflowTracker",
    "trackio": "pcm.tracking.trackio_tracker:TrackioTracker",
    "neptune": "pcm.tracking.neptune_tracker:NeptuneTracker",
    NO_TRACKER: None,
}
"""Name -> the class that is called with (run directory, experiment record); None: the records in
the run directory are all."""

PLUGINS = "pcm.trackers"
"""The group of entry points by which other packages add trackers."""


def is_tracker(name: str) -> bool:
    """Whether `tracker: NAME` may be so: ours, a plugin's, or one's own as `module:Class`."""
    return name in TRACKERS or ":" in name or name in plugins()


@cache
def plugins() -> Mapping[str, str]:
    """Name -> `module:Class` of the trackers that installed packages add; ours go first."""
    # Looks into every installed package, and most tracker names are ours.
    from importlib.metadata import entry_points

    return {entry.name: entry.value for entry in entry_points(group=PLUGINS)}


def requested(tracker: Any) -> list[dict[str, Any]]:
    """One mapping a tracker, in order, each tracker once.

    Args:
        tracker: as configs have it: a name, a mapping with `name` and `project`, a list of
            either, or None.
    """
    items = tracker if _is_list(tracker) else [tracker]
    requests = [
        dict(item) if isinstance(item, Mapping) else {"name": item, "project": None}
        for item in items
        if item
    ]
    return list({request.get("name"): request for request in requests}.values())


def names_in(text: str | Iterable[str]) -> list[str]:
    """The names of `--tracker mlflow,tensorboard`, or those of a list."""
    parts = text.split(",") if isinstance(text, str) else text
    return [name.strip() for name in parts if name.strip()]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
