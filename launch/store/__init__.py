"""The store: what was launched, written down before it is submitted, and found again."""

from launch.store.layout import LaunchDir, RunsRoot, runs_root
from launch.store.store import Experiment, Store, Sweep, launches_of
from launch.store.write_errors import writing

__all__ = [
    "Experiment",
    "LaunchDir",
    "RunsRoot",
    "Store",
    "Sweep",
    "launches_of",
    "runs_root",
    "writing",
]
