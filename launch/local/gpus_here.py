"""Experiments that insist on GPUs, on a machine that may have none."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from launch.damage import DamagedError
from launch.grid import Grid
from launch.grid.accelerators import insists_on_gpus, lacking
from launch.machine.devices import visible_devices
from launch.store import Experiment
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


def require_gpus_of(experiments: Sequence[Experiment]) -> None:
    """The same of experiments that were launched before, wherever that was.

    Raises:
        ConfigError: with what each of them needs.
    """
    trainers = ((experiment, _trainer_of(experiment)) for experiment in experiments)
    insisting = [each for each in trainers if insists_on_gpus(each[1])]
    here = len(visible_devices(os.environ)) if insisting else 0
    faults = []
    for experiment, trainer in insisting:
        gpus = experiment.resources.gpus
        if not 0 < gpus <= here:
            keys, problem, found, *_ = lacking(trainer, gpus, here)
            place = ".".join(map(str, keys))
            hint = "resume it on a machine that has them, or on Slurm"
            whose = f"{experiment.id} {experiment.name}"
            faults.append(Fault(problem, file=whose, key=place, found=found, hint=hint))
    if faults:
        raise ConfigError(faults)


def _trainer_of(experiment: Experiment) -> dict[str, Any]:
    """Its trainer; none where it is a script, or damaged, which its start will tell."""
    with suppress(DamagedError):
        return experiment.config().get("trainer") or {}
    return {}
