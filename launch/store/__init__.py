"""The store: what was launched, written down before it is submitted, and found again."""

from launch.store.checkout import CodeVersion, code_version
from launch.store.freezing import freeze, writing
from launch.store.layout import LaunchDir, RunsRoot, runs_root
from launch.store.run_dirs import create_run_dir, frozen_config
from launch.store.store import Experiment, Store, Sweep, launches_of

__all__ = [
    "CodeVersion",
    "Experiment",
    "LaunchDir",
    "RunsRoot",
    "Store",
    "Sweep",
    "code_version",
    "create_run_dir",
    "freeze",
    "frozen_config",
    "launches_of",
    "runs_root",
    "writing",
]
