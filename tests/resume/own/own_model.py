"""A model and data of a user's own, as unkind to resuming as users can be.

Everything draws from every global generator: the data's order, its augmentation, the
training step, the validation. Metrics are logged in all of Lightning's ways.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningDataModule, LightningModule
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.utils.data import DataLoader, Dataset
from torchmetrics import MeanMetric

from pcm.run_dir import create_json


class Noisy(Dataset[Tensor]):
    """Items that are another at every look."""

    def __init__(self, size: int) -> None:
        self._size = size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> Tensor:
        noise = random.random() + float(np.random.rand()) + torch.rand(())
        return torch.full((4,), float(index)) / self._size + 0.1 * noise


class Data(LightningDataModule):
    """Shuffled loaders without any way to resume."""

    def __init__(self, size: int = 40, workers: int = 0, own_generator: bool = False) -> None:
        super().__init__()
        self._size = size
        self._workers = workers
        self._generator = torch.Generator().manual_seed(3) if own_generator else None

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Ten batches of four for one rank."""
        return DataLoader(
            Noisy(self._size),
            batch_size=4,
            shuffle=True,
            num_workers=self._workers,
            generator=self._generator,
        )

    def test_dataloader(self) -> DataLoader[Tensor]:
        """Three batches."""
        return DataLoader(Noisy(6), batch_size=2)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Shuffled, too, which nobody should do."""
        return DataLoader(Noisy(8), batch_size=2, shuffle=True)


class Base(LightningModule):
    """What both kinds of optimization share."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 4))
        self.head = nn.Linear(4, 1)
        self.mean = MeanMetric()

    def loss(self, batch: Tensor) -> Tensor:
        """Differs every time it is called."""
        noise = torch.randn(batch.shape[0], 1).to(batch.device)
        prediction: Tensor = self.head(self.net(batch))
        return (prediction - noise - random.random() - float(np.random.rand())).square().mean()

    def report(self, loss: Tensor) -> None:
        """Log a step's loss in three ways."""
        self.mean.update(loss.detach())
        self.log("train_loss", loss.detach(), on_step=True, on_epoch=True)
        self.log("greatest", loss.detach(), on_step=False, on_epoch=True, reduce_fx="max")

    def on_train_batch_end(self, *_: Any) -> None:
        torch.rand(3)
        ask_for_stop("step", self.trainer.fit_loop.epoch_loop.total_batch_idx + 1)

    def on_train_epoch_start(self) -> None:
        torch.rand(2)

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        loss = self.loss(batch)
        self.log("val_loss", loss, sync_dist=True)
        if batch_idx == 1:
            ask_for_stop("validation", self.trainer.fit_loop.epoch_loop.total_batch_idx + 1)

    def on_validation_end(self) -> None:
        random.random()

    def on_train_epoch_end(self) -> None:
        self.log("train_mean", self.mean.compute())
        self.mean.reset()
        np.random.rand()
        ask_for_stop("epoch", self.trainer.fit_loop.epoch_loop.total_batch_idx + 1)


class Automatic(Base):
    """Lightning's own optimization, a scheduler per step and a scheduler per epoch."""

    def training_step(self, batch: Tensor) -> Tensor:
        loss = self.loss(batch)
        self.report(loss)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "interval": "step"},
        }


class Tested(Automatic):
    """Has a test too."""

    def test_step(self, batch: Tensor, batch_idx: int) -> None:
        """Log the mean loss."""
        self.log("test_loss", self.loss(batch), sync_dist=True)
        ask_for_stop("test", batch_idx)


class Normed(Automatic):
    """Has buffers, and may be killed while it is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def loss(self, batch: Tensor) -> Tensor:
        """Through buffers that each rank has for itself."""
        return super().loss(self.norm(batch))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Die while the others save, if asked."""
        step = checkpoint.get("pcm", {}).get("step")
        is_asked = os.environ.get("OWN_KILL_SAVING") == str(step)
        if is_asked and self.global_rank == 1:
            os.kill(os.getpid(), 9)


class Sharded(Normed):
    """Its layers are shared out to all ranks."""

    def configure_model(self) -> None:
        """Shard each layer, once."""
        if self.device_mesh is None or isinstance(self.net, FSDPModule):
            return
        for layer in (self.norm, self.net, self.head):
            fully_shard(layer, mesh=self.device_mesh["data_parallel"])


class ShardedByHand(Sharded):
    """Two optimizers, and gradients of five batches for each step of theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Tensor) -> Tensor:
        loss = self.loss(batch)
        self.manual_backward(loss)
        if self.trainer.fit_loop.epoch_loop.total_batch_idx % 5 == 4:
            optimizers: Any = self.optimizers()
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
        self.report(loss)
        return loss

    def configure_optimizers(self) -> Any:
        rest = [*self.norm.parameters(), *self.head.parameters()]
        return [torch.optim.AdamW(self.net.parameters()), torch.optim.SGD(rest, lr=0.01)]

    def test_step(self, batch: Tensor) -> None:
        """Log the mean loss."""
        self.log("test_loss", self.loss(batch), sync_dist=True)


class Manual(Base):
    """Two optimizers, stepped by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Tensor) -> Tensor:
        optimizers: Any = self.optimizers()
        loss = self.loss(batch)
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(loss)
        for optimizer in optimizers:
            optimizer.step()
        self.report(loss)
        return loss

    def configure_optimizers(self) -> Any:
        net = torch.optim.Adam(self.net.parameters(), lr=0.01)
        head = torch.optim.SGD(self.head.parameters(), lr=0.01, momentum=0.9)
        return [net, head]


class Counting(Callback):
    """Counts each hook, over all attempts: one that is skipped or called twice shows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"counts": dict(self.counts)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.counts = Counter(state_dict["counts"])

    def on_train_epoch_start(self, *_: Any) -> None:
        """Count."""
        self.counts["epochs begun"] += 1

    def on_train_batch_start(self, *_: Any) -> None:
        """Count."""
        self.counts["steps begun"] += 1

    def on_train_batch_end(self, *_: Any) -> None:
        """Count."""
        self.counts["steps"] += 1

    def on_validation_start(self, *_: Any) -> None:
        """Count."""
        self.counts["validations begun"] += 1

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        """Count."""
        self.counts["validation batches"] += 1

    def on_validation_end(self, *_: Any) -> None:
        """Count."""
        self.counts["validations"] += 1

    def on_train_epoch_end(self, *_: Any) -> None:
        """Count."""
        self.counts["epochs"] += 1


class Bringing(Automatic):
    """A module that brings callbacks itself."""

    def configure_callbacks(self) -> list[Callback]:
        """One of Lightning's and one of its own."""
        return [EarlyStopping("val_loss", patience=1), Counting()]


def ask_for_stop(place: str, step: int) -> None:
    """Ask for a stop where the test wants it, and wait until it must have been seen."""
    after = os.environ.get("OWN_AFTER")
    if after and place != "search" and not Path(after).exists():
        return
    if os.environ.get("OWN_KILL_AT") == f"{place} {step}":
        os.kill(os.getpid(), 9)
    if os.environ.get("OWN_FAIL_AT") == f"{place} {step}":
        raise RuntimeError("as asked for")
    if os.environ.get("OWN_STOP_AT") == f"{place} {step}":
        create_json(Path(os.environ["OWN_STOP_FILE"]), {"by": "test", "reason": "interrupt"})
        time.sleep(float(os.environ.get("OWN_WAIT_S", "0.6")))


class Breaking(Automatic):
    """Fails on one rank, or gives a loss that is no number.

    Args:
        rank: the rank that fails.
    """

    def __init__(self, rank: int = 0, loss: float | None = None) -> None:
        super().__init__()
        self._rank = rank
        self._loss = loss

    def training_step(self, batch: Tensor) -> Tensor:
        """As long as it goes."""
        loss = super().training_step(batch)
        if self._loss is not None:
            return loss * self._loss
        if self.global_rank == self._rank and self.trainer.global_step == 3:
            raise ValueError("the third step is one too many")
        return loss

    def report(self, loss: Tensor) -> None:
        """Log what is trained on."""
        self.log("train_loss", loss if self._loss is None else loss * self._loss)


class Unheard(Automatic):
    """Logs nowhere, from the second step on, which Lightning takes for a misconfiguration."""

    def report(self, loss: Tensor) -> None:
        """As long as it goes."""
        is_somewhere = self.trainer.global_step < 1
        self.log("train_loss", loss, on_step=is_somewhere, on_epoch=False)


class Unloadable(Automatic):
    """Puts into its checkpoint what can't be loaded safely."""

    def get_extra_state(self) -> Any:
        """A function stands for any code."""
        return os.path.join

    def set_extra_state(self, state: Any) -> None:
        """Nothing comes of it."""
