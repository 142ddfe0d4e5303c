"""A user's own model, which gets into trouble after some steps."""

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

STEPS_BEFORE = 3


class Data(LightningDataModule):
    """Ten batches of four for one rank."""

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        return DataLoader(TensorDataset(torch.ones(40, 4)), batch_size=4)


class Troubled(LightningModule):
    """One that trains for some steps, and then wants too much, or meets what can't be."""

    def __init__(self, trouble: str) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(4, 1)
        self.trouble = trouble

    def training_step(self, batch: tuple[Tensor, ...], index: int) -> Tensor:
        if index == STEPS_BEFORE and self.trouble == "memory":
            torch.ones(2**31)
        if index == STEPS_BEFORE and self.trouble == "digit" and self.global_rank == 1:
            raise ValueError("no such digit: 11")
        loss: Tensor = self.layer(batch[0]).square().mean()
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)
