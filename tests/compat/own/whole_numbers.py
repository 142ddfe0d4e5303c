"""A model whose arithmetic is exact, so that its bits are the same on every machine.

Inputs and noise are whole numbers, rate and momentum powers of two, and a double holds all the
binary digits that thirty steps of that can make. Order matters all the same: by the momentum,
the weights tell in which order which batch was seen with which noise.

Checkpoints of earlier versions are loaded into these classes: what they hold must stay.
"""

import os
import time
from typing import Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class Numbers(Dataset[Tensor]):
    """Whole numbers, other ones at every look."""

    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Tensor:
        return torch.full((3,), index) + torch.randint(8, (3,))


class Data(LightningDataModule):
    """Shuffled loaders without any way to resume: ten batches of four."""

    def train_dataloader(self) -> DataLoader[Tensor]:
        """In another order in each epoch."""
        return DataLoader(Numbers(), batch_size=4, shuffle=True)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Two batches."""
        return DataLoader(Numbers(), batch_size=20)


class Model(LightningModule):
    """Three weights. With OWN_STEP_S a step takes so many seconds, for somebody to stop it."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(3, dtype=torch.float64))

    def on_train_start(self) -> None:
        print("counts in whole numbers", flush=True)

    def training_step(self, batch: Tensor) -> Tensor:
        """Linear in the weights, times whole numbers."""
        time.sleep(float(os.environ.get("OWN_STEP_S", "0")))
        noise = torch.randint(-3, 4, batch.shape)
        loss = (self.weights * batch * noise).sum() / 4
        self.log("train_loss", loss.detach())
        return loss

    def validation_step(self, batch: Tensor, _: int) -> None:
        """On items drawn anew."""
        self.log("val_loss", (self.weights * batch).sum() / 4)

    def configure_optimizers(self) -> Any:
        """Momentum makes the order of the steps count."""
        return torch.optim.SGD(self.parameters(), lr=2**-6, momentum=0.5)
