"""Which devices the ranks of one node train on."""

import os
from collections.abc import Mapping
from typing import Any

import torch

from pcm.rank.ranks import Ranks
from pcm.training.building.gpus import gpus_asked, missing_gpus
from pcm.training.faults import config_error

Config = dict[str, Any]


def choose_device(trainer_cfg: Config, ranks: Ranks) -> torch.device:
    """The GPU of this rank if every rank of the node has one, else the CPU.

    Where a scheduler shows each rank a GPU of its own (`--gpus-per-task`, `--gpu-bind=single`),
    that is the first one.

    Raises:
        ConfigError: the trainer file insists on GPUs that are not there.
        RefusedError: the job was to have GPUs, and they are not there.
    """
    wanted = trainer_cfg.get("accelerator") or "auto"
    if wanted == "cpu":
        return torch.device("cpu")
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if available == 1 and is_bound_to_gpu(ranks, os.environ):
        return torch.device("cuda", 0)
    index = _gpus(trainer_cfg.get("devices"), ranks)[ranks.local_rank]
    if available > index and available >= ranks.local_world_size:
        return torch.device("cuda", index)
    if asked := gpus_asked():
        raise missing_gpus(asked, available)
    if wanted in ("gpu", "cuda"):
        raise config_error(
            "accelerator",
            f"{ranks.local_world_size} ranks on this node need GPUs, and {available} are visible",
            "accelerator: auto, or fewer ranks",
        )
    return torch.device("cpu")


def is_bound_to_gpu(ranks: Ranks, environment: Mapping[str, str]) -> bool:
    """Whether the job has a GPU for each of this node's ranks, and this one sees its own alone.

    Where the job has fewer, as on a workstation, that single GPU is everybody's.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES", "").strip()
    sees_one = bool(visible) and "," not in visible
    return sees_one and 1 < ranks.local_world_size <= gpus_asked(environment)


def bound_places(device: torch.device, ranks: Ranks) -> list[torch.device]:
    """GPUs of a node's ranks, for a strategy, where each knows its own by the same number.

    Lightning takes the device at the local rank's place, and counts ranks by the places.
    """
    return [device] * ranks.local_world_size


def trainer_devices(
    cfg: Config, ranks: Ranks, device: torch.device, *, is_bound: bool
) -> list[int] | int:
    """The Trainer's `devices`."""
    if device.type != "cuda":
        return ranks.local_world_size
    return [0] if is_bound else _gpus(cfg.get("devices"), ranks)


def _gpus(wanted: Any, ranks: Ranks) -> list[int]:
    """The GPUs of this node's ranks: those that the trainer file lists, else the first ones."""
    if isinstance(wanted, list) and len(wanted) == ranks.local_world_size:
        return wanted
    return list(range(ranks.local_world_size))
