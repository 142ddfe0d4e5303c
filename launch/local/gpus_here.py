"""Experiments that insist on GPUs, on a machine that may have none."""

import os
from collections.abc import Collection

from launch.grid import Grid
from launch.grid.accelerators import insists_on_gpus, lacking
from launch.machine.devices import visible_devices
from pcm.errors import ConfigError, Fault


def require_gpus_here(grid: Grid, ids: Collection[str]) -> None:
    """Refuse what this machine's launcher would start without the GPUs that it insists on.

    Raises:
        ConfigError: with the place in the trainer file, or in the grid.
    """
    configs = ((point, point.config) for point in grid.points if point.id in ids)
    insisting = [each for each in configs if insists_on_gpus(each[1].get("trainer"))]
    if not insisting:
        return
    here = len(visible_devices(os.environ))
    faults: dict[Fault, None] = {}
    for point, config in insisting:
        gpus = point.resources.gpus
        if not 0 < gpus <= here:
            finding = lacking(config["trainer"], gpus, here)
            faults[grid.blame.on_any(finding, point.frame, config)] = None
    if faults:
        raise ConfigError(list(faults))
