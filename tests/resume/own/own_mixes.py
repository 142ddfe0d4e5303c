"""A module and its data, put together from parts by their names."""

import random
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from lightning.pytorch.utilities import CombinedLoader
from own_kinds import Net  # type: ignore[import-not-found]  # beside this file
from own_layer_parts import PARTS as LAYER_PARTS  # type: ignore[import-not-found]
from own_loaders import (  # type: ignore[import-not-found]
    Buckets,
    Buffer,
    CarriedOrder,
    Endless,
    Items,
    OwnOrder,
    Positions,
    Shards,
    Shuffled,
)
from own_model import ask_for_stop  # type: ignore[import-not-found]
from own_parts import PARTS as USUAL_PARTS  # type: ignore[import-not-found]
from own_sources import Epochs, Sorted, Split  # type: ignore[import-not-found]
from own_stepping_parts import PARTS as STEPPING_PARTS  # type: ignore[import-not-found]
from own_stray_parts import PARTS as STRAY_PARTS  # type: ignore[import-not-found]
from own_tensor_parts import PARTS as TENSOR_PARTS  # type: ignore[import-not-found]
from own_tensor_parts import Embedded
from own_valued_parts import PARTS as VALUED_PARTS  # type: ignore[import-not-found]
from torch import Tensor
from torch.utils.data import DataLoader, RandomSampler, WeightedRandomSampler, default_collate

Pair = tuple[Tensor, Tensor]

PARTS: dict[str, Any] = {
    **USUAL_PARTS,
    **STRAY_PARTS,
    **LAYER_PARTS,
    **TENSOR_PARTS,
    **STEPPING_PARTS,
    **VALUED_PARTS,
}

BY_HAND = {"two": (1, 1), "gathered": (3,), "turns": (1, 3), "sparse": (2, 1)}
"""Of optimizers that the module steps itself, for how many batches each step is."""

_OF_A_MODEL = ("averaged", "exchanged", "copied", "tied", "hooked")
"""Parts that are made of the module's layers."""


class Mixed(Net):  # type: ignore[misc]  # not seen from here
    """Any parts, an optimizer, and a scheduler.

    Args:
        optimizer: `adam`, `momentum`, `lbfgs`; or by hand: `two`, `gathered`, `turns` or `sparse`.
        scheduler: `none`, `steps`, `epochs`, `cycle`, `plateau` or `plateau by steps`.
        skip: the batch of an epoch at which it is ended; the one after is nobody's.
    """

    def __init__(
        self, parts: list[str], optimizer: str, scheduler: str, skip: int | None = None
    ) -> None:
        super().__init__()
        self.parts: Any = torch.nn.ModuleList()
        for name in parts:
            self.parts.append(PARTS[name](self) if name in _OF_A_MODEL else PARTS[name]())
        if optimizer == "sparse":
            self.parts.append(Embedded())
        self.optimizer, self.scheduler, self.skip = optimizer, scheduler, skip
        self.automatic_optimization = optimizer not in BY_HAND
        self.waiting = 0

    def on_fit_start(self) -> None:
        self._each("begin_fit")

    def on_train_epoch_start(self) -> None:
        items: Any = getattr(self.trainer.datamodule, "items", None)
        if hasattr(items, "set_epoch"):
            items.set_epoch(self.current_epoch)
        self._each("begin_epoch")

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> Any:  # noqa: ARG002
        return -1 if batch_idx == self.skip else None

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        inputs, targets = _joined(batch)
        if self.trainer.precision == "64-true":
            inputs, targets = inputs.double(), targets.double()
        for part in self.parts:
            inputs = part.change(self, inputs, targets)
        loss = super().training_step((inputs, targets), batch_idx)
        self.log("mean_loss", loss, on_step=False, on_epoch=True, sync_dist=True)
        for part in self.parts:
            loss = part.weigh(self, loss)
        return loss if self.automatic_optimization else self._step(loss)

    def _step(self, loss: Tensor) -> None:
        optimizers: Any = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        self.manual_backward(loss)
        self.waiting += 1
        for optimizer, batches in zip(optimizers, BY_HAND[self.optimizer], strict=True):
            if self.waiting % batches == 0:
                if self.optimizer == "turns":
                    self.clip_gradients(optimizer, 0.5, "norm")
                optimizer.step()
                optimizer.zero_grad()
        scheduler: Any = self.lr_schedulers()
        if self.scheduler == "by hand" and self.waiting % 4 == 0:
            scheduler.step()

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        for part in self.parts:
            part.before_optimizer(self, optimizer)

    def on_train_batch_end(self, *_: Any) -> None:
        self._each("end_step")
        super().on_train_batch_end()

    def on_validation_start(self) -> None:
        self._each("begin_validation")

    def validation_step(self, batch: Pair, batch_idx: int, dataloader_idx: int = 0) -> None:  # noqa: ARG002
        for part in self.parts:
            part.validate(self, batch[0])
        self.log("val_loss", self.loss(batch))

    def on_validation_epoch_end(self) -> None:
        self._each("end_validations_epoch")

    def on_validation_end(self) -> None:
        self._each("end_validation")

    def test_step(self, batch: Pair, batch_idx: int) -> None:
        self.log("test_loss", self.loss(batch), sync_dist=True)
        ask_for_stop("test", batch_idx)

    def on_train_epoch_end(self) -> None:
        self._each("end_epoch")
        scheduler: Any = self.lr_schedulers()
        if self.scheduler == "epochs" and not self.automatic_optimization:
            scheduler.step()
        super().on_train_epoch_end()

    def _each(self, hook: str) -> None:
        for part in self.parts:
            getattr(part, hook)(self)

    def configure_optimizers(self) -> Any:
        late = {id(each) for part in self.parts for each in part.late()}
        named = [(name, each) for name, each in self.named_parameters() if id(each) not in late]
        own = [each for name, each in named if ".average." not in name and ".table." not in name]
        own += [each for part in self.parts for each in part.held()]
        optimizers = self._optimizers(own)
        if self.scheduler == "none":
            return optimizers
        return optimizers, [_scheduled(self.scheduler, optimizers[-1])]

    def _optimizers(self, own: list[Any]) -> list[torch.optim.Optimizer]:
        optim = torch.optim
        if self.optimizer in ("two", "turns"):
            return [optim.Adam(own[::2], 0.01), optim.SGD(own[1::2], 0.1)]
        if self.optimizer == "sparse":
            table = [each for name, each in self.named_parameters() if ".table." in name]
            return [optim.SparseAdam(table, 0.05), optim.Adam(own, 0.01)]
        if self.optimizer == "adam":
            return [optim.Adam(own, 0.01)]
        if self.optimizer == "lbfgs":
            return [optim.LBFGS(own, 0.1, max_iter=3)]
        return [optim.SGD(own, 0.1, momentum=0.9)]


def _scheduled(name: str, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    schedulers = torch.optim.lr_scheduler
    if name.startswith("plateau"):
        plateau = schedulers.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)
        how = {"interval": "step", "frequency": 2} if "steps" in name else {}
        monitor = "train_loss" if how else "mean_loss"
        return {"scheduler": plateau, "monitor": monitor, "strict": False, **how}
    if name == "steps":
        stepped = schedulers.ExponentialLR(optimizer, 0.97)
        return {"scheduler": stepped, "interval": "step", "frequency": 3}
    if name == "cycle":
        cycle = schedulers.OneCycleLR(optimizer, 0.1, total_steps=1000, cycle_momentum=False)
        return {"scheduler": cycle, "interval": "step"}
    size = 2 if name == "by hand" else 1
    return {"scheduler": schedulers.StepLR(optimizer, size, 0.5), "interval": "epoch"}


def _joined(batch: Any) -> Pair:
    """All pairs of a combined loader's batch, of which some are None, as one."""
    if not isinstance(batch, dict):
        return batch[0], batch[1]
    pairs = [pair for pair in batch.values() if pair is not None]
    return torch.cat([pair[0] for pair in pairs]), torch.cat([pair[1] for pair in pairs])


def _seed_worker(number: int) -> None:
    """As torch advises."""
    np.random.seed((torch.initial_seed() + number) % 2**32)


class Flaky(Items):  # type: ignore[misc]
    """Draws from all generators, from one of its own, and has a gap."""

    def __init__(self, size: int, *, noisy: bool, gap: bool) -> None:
        super().__init__(size, noisy=noisy)
        self.generator = random.Random(3)
        self.torch, self.numpy = torch.Generator().manual_seed(4), np.random.default_rng(5)
        self.gap = gap

    def __getitem__(self, index: int) -> Any:
        if self.gap and index == 3:
            return None
        point, side = super().__getitem__(index)
        own = self.generator.random() + float(torch.rand((), generator=self.torch))
        own += self.numpy.random() + np.random.rand()
        return point + 0.1 * (random.random() + own), side


def _collated(items: list[Any]) -> Any:
    return default_collate(items) if all(item is not None for item in items) else None


class MixedData(LightningDataModule):
    """Loaders of any kind.

    Args:
        source: `loader`, `weighted`, `own order`, `buffer`, `shards`, `endless`, `positions`,
            `subsets`, `longest`, `shortest`, `padded`, `buckets`, `orders`, `arrays`, `weighing`,
            `split`, `sorted` or `epochs`.
        validations: loaders of the validation.
    """

    def __init__(
        self,
        source: str = "loader",
        *,
        noisy: bool = False,
        gap: bool = False,
        own_generator: bool = False,
        workers: int = 0,
        persistent: bool = False,
        validations: int = 1,
    ) -> None:
        super().__init__()
        self.source, self.noisy, self.gap = source, noisy, gap
        self.validations = validations
        self.workers: dict[str, Any] = {
            "num_workers": workers,
            "persistent_workers": persistent and workers > 0,
        }
        self.generator = torch.Generator().manual_seed(2) if own_generator else None

    def setup(self, stage: str) -> None:  # noqa: ARG002
        self.items: Any = self._items(40)
        if self.source in ("buffer", "shards"):
            self.items = Buffer() if self.source == "buffer" else Shards()
        elif self.source == "arrays":
            self.items = Shuffled()
        elif self.source == "split":
            self.items = Split(self._items(40))
        self.weights = torch.ones(40, dtype=torch.float64)
        self.checked = self._items(6)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:  # noqa: ARG002
        is_weighed = self.source == "weighing" and batch is not None
        if is_weighed and getattr(self.trainer, "training", False):
            self.weights[int(batch[0].detach().abs().sum() * 100) % 40] *= 1.5
        return batch

    def _items(self, size: int) -> Flaky:
        return Flaky(size, noisy=self.noisy, gap=self.gap and size > 6)

    def train_dataloader(self) -> Any:
        if self.source == "endless":
            return Endless()
        if self.source == "positions":
            return Positions()
        if self.source in ("longest", "shortest", "padded"):
            loaders = {"a": self._loader(self.items), "b": self._loader(self._items(16))}
            modes: Any = {"longest": "max_size_cycle", "shortest": "min_size", "padded": "max_size"}
            return CombinedLoader(loaders, modes[self.source])
        return self._loader(self.items)

    def _loader(self, items: Any) -> Any:
        arguments: dict[str, Any] = {"shuffle": True, "generator": self.generator}
        if self.source in ("buffer", "shards", "split"):
            arguments = {}
        elif self.source == "weighted":
            thirds = [1.0 + index % 3 for index in range(40)]
            arguments = {"sampler": WeightedRandomSampler(thirds, 40, generator=self.generator)}
        elif self.source == "weighing":
            weights: Any = self.weights
            arguments = {"sampler": WeightedRandomSampler(weights, 40)}
        elif self.source == "own order":
            arguments = {"sampler": OwnOrder()}
        elif self.source == "sorted":
            batches = {"batch_sampler": Sorted(RandomSampler(items, generator=self.generator), 4)}
            return DataLoader(items, collate_fn=_collated, **self.workers, **batches)
        elif self.source == "epochs":
            return Epochs(items, self.trainer)
        elif self.source == "orders":
            arguments = {"sampler": CarriedOrder()}
        elif self.source == "buckets":
            batches = {"batch_sampler": Buckets(), "worker_init_fn": _seed_worker}
            return DataLoader(items, collate_fn=_collated, **self.workers, **batches)
        elif self.source == "subsets":
            half = torch.randperm(40)[:36].tolist()
            arguments = {"sampler": half}
        return DataLoader(items, 4, collate_fn=_collated, **self.workers, **arguments)

    def val_dataloader(self) -> Any:
        drawing: dict[str, Any] = {"generator": self.generator, **self.workers}
        loaders: list[Any] = [
            DataLoader(self.checked, 2, shuffle=index == 0, **drawing)
            for index in range(self.validations)
        ]
        return loaders[0] if len(loaders) == 1 else loaders

    def test_dataloader(self) -> Any:
        return DataLoader(self.checked, 2)
