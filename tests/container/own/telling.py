"""A user's own model, which tells what its process is given."""

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

SURROUNDINGS = "surroundings: "

LIMITS = [name for name in dir(resource) if name.startswith("RLIMIT_")]


class Data(LightningDataModule):
    """A hundred batches, shuffled."""

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(TensorDataset(torch.randn(400, 4)), batch_size=4, shuffle=True)


class Telling(LightningModule):
    """A model that draws lots, and takes its time over it; its label means nothing."""

    def __init__(self, label: str) -> None:  # noqa: ARG002
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout())

    def on_train_start(self) -> None:
        print(SURROUNDINGS + json.dumps(surroundings()))

    def training_step(self, batch: tuple[Tensor, ...], _index: int) -> Tensor:
        time.sleep(0.02)
        loss: Tensor = self.layers(batch[0]).square().mean()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters())


def surroundings() -> dict[str, Any]:
    """What a process has of the one that it comes from."""
    own = Path("/proc/self")
    status = [line.split(":\t") for line in (own / "status").read_text().splitlines()]
    umask = os.umask(0)
    os.umask(umask)
    return {
        "arguments": sys.argv[:1],
        "environment": dict(os.environ),
        "path": sys.path,
        "folder": str(Path.cwd()),
        "umask": umask,
        "streams": [str((own / "fd" / str(number)).readlink()) for number in range(3)],
        "files": len([*(own / "fd").iterdir()]),
        "status": {word: text for word, text in status if word.startswith(("Sig", "Shd", "NoNew"))},
        "limits": {name: resource.getrlimit(getattr(resource, name)) for name in LIMITS},
        "nice": os.nice(0),
        "cores": sorted(os.sched_getaffinity(0)),
        "groups": os.getgroups(),
        "threads": torch.get_num_threads(),
    }
