"""Classes of a user's own, for grids that name them: typed, nested, trained in a moment."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self, width: int = 2, act: Literal["relu", "tanh"] = "relu") -> None:
        super().__init__()
        layers = {"relu": nn.ReLU, "tanh": nn.Tanh}
        self.layers = nn.Sequential(nn.Linear(3, width), layers[act](), nn.Linear(width, 1))

    def forward(self, values: Tensor) -> Tensor:
        return torch.as_tensor(self.layers(values))


class Model(LightningModule):
    def __init__(
        self,
        net: nn.Module | None = None,
        lr: float = 0.01,
        optimizer: Callable[..., torch.optim.Optimizer] | None = None,
        sizes: Sequence[int] = (1, 2),
        more: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.net = net or Net(width=sum(sizes))
        self.lr = lr
        self.optimizer = optimizer
        self.more = more

    def training_step(self, batch: list[Tensor]) -> Tensor:
        loss = self.net(batch[0]).square().mean()
        self.log("loss", loss)
        return torch.as_tensor(loss)

    def validation_step(self, batch: list[Tensor]) -> None:
        self.log("val/loss", self.net(batch[0]).square().mean())

    test_step = validation_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        make = self.optimizer or torch.optim.SGD
        return (
            make(self.parameters(), lr=self.lr)
            if self.optimizer is None
            else make(self.parameters())
        )


class Data(LightningDataModule):
    def __init__(self, batch_size: int = 2) -> None:
        super().__init__()
        self.batch_size = batch_size

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(TensorDataset(torch.arange(12.0).reshape(4, 3)), self.batch_size)

    val_dataloader = test_dataloader = train_dataloader


class Note(Callback):
    def __init__(self, text: str = "") -> None:
        self.text = text
