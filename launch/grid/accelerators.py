"""Trainers that insist on GPUs, and what they ask for: what would end on the node. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from launch.site import Resources
from launch.text import counted
from pcm.config.structure import Finding
from pcm.config.wording import shown

_INSISTING = ("gpu", "cuda")

_ELSE = "`accelerator: auto`, which trains on CPUs where there is no GPU"


def insists_on_gpus(trainer: Any) -> bool:
    """Whether training with it ends where there is no GPU."""
    return isinstance(trainer, dict) and trainer.get("accelerator") in _INSISTING


def lacking(trainer: Mapping[str, Any], gpus: int, here: int) -> Finding:
    """An experiment that a machine has too few GPUs for."""
    problem = f"needs {counted(gpus, 'GPU')}, and this machine shows {here}"
    if not gpus:
        problem = "insists on GPUs, and `resources` ask for none"
    place, found = ("trainer", "accelerator"), shown(trainer["accelerator"])
    return Finding(place, problem, found, f"`gpus_per_node` in `resources`, or {_ELSE}")


def unmet_wishes(trainer: Mapping[str, Any], resources: Resources) -> Iterator[Finding]:
    """What a trainer wants of its node, and a job with these resources may not get.

    It may all the same, so nothing of it is a fault: on clusters that hand out whole nodes and
    don't hide their GPUs, nobody asks for these.
    """
    per_node = resources.gpus_per_node or 0
    asks_otherwise = bool(resources.sbatch and "gres" in resources.sbatch)
    if insists_on_gpus(trainer) and not per_node and not asks_otherwise:
        problem = "insists on GPUs, and `resources` ask for none: a node that shows none ends it"
        yield Finding(("trainer", "accelerator"), problem, shown(trainer["accelerator"]))
    devices = trainer.get("devices")
    if trainer.get("accelerator") == "cpu" or not isinstance(devices, list) or not per_node:
        return
    numbers = [number for number in devices if type(number) is int]
    if len(devices) == resources.ranks_per_node and max(numbers, default=0) >= per_node:
        problem = (
            f"a job with {counted(per_node, 'GPU')} a node sees them under numbers below {per_node}"
        )
        yield Finding(("trainer", "devices"), problem, shown(devices))
