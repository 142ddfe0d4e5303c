"""Which experiments train in one start of an image: those that see the same files there."""

import json
import os
from collections.abc import Iterable, Sequence

from launch.local.nursery import is_script, is_wanted
from launch.store import Experiment, LaunchDir

MOST_IMAGES = 8
"""So many are started at once: each holds the libraries in memory of its own, 300 MB or more."""


def trains_inside(experiment: Experiment) -> bool:
    """Whether it trains with the libraries of an image."""
    return experiment.launch.record.get("container") is not None and not is_script(experiment)


def groups_inside(experiments: Iterable[Experiment]) -> dict[str, list[Experiment]]:
    """Those that share a start of an image, by what they share; the largest groups come first."""
    groups: dict[str, list[Experiment]] = {}
    for each in filter(trains_inside, experiments):
        groups.setdefault(surroundings(each.launch), []).append(each)
    shared = {key: group for key, group in groups.items() if is_wanted(group, os.environ)}
    most = sorted(shared, key=lambda key: -_processes(shared[key]))[:MOST_IMAGES]
    return {key: shared[key] for key in most}


def surroundings(launch: LaunchDir) -> str:
    """All of a launch that a start of its image depends on."""
    record = launch.record
    code = str(launch.snapshot) if launch.ships_code else None
    its = [record.get(name) for name in ("container", "starts_from", "preload")]
    return json.dumps([str(launch.root), code, *its], sort_keys=True)


def _processes(group: Sequence[Experiment]) -> int:
    return sum(each.world_size for each in group)
