"""Modules of the kinds that people have, each with a state that Lightning's checkpoints lack."""

import copy
import multiprocessing
from collections import deque
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import (
    BaseFinetuning,
    EarlyStopping,
    EMAWeightAveraging,
    GradientAccumulationScheduler,
    StochasticWeightAveraging,
)
from own_loaders import Data  # type: ignore[import-not-found]  # beside this file
from own_model import ask_for_stop  # type: ignore[import-not-found]  # beside this file
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricTracker, MinMaxMetric
from torchmetrics.classification import BinaryAccuracy
from torchmetrics.wrappers import Running

Batch = tuple[Tensor, Tensor]


class Net(LightningModule):
    """Two layers and a dropout, which stops wherever the test wants it."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.3), nn.ReLU(), nn.Linear(8, 1))

    def loss(self, batch: Batch) -> Tensor:
        inputs, targets = batch
        return nn.functional.binary_cross_entropy_with_logits(self.net(inputs), targets)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:  # noqa: ARG002
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        self.log("val_loss", self.loss(batch))

    def on_validation_batch_end(self, *_: Any) -> None:
        self._ask("validation")

    def on_train_batch_end(self, *_: Any) -> None:
        self._ask("step")

    def on_train_epoch_end(self) -> None:
        self._ask("epoch")

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=0.01)

    def _ask(self, place: str) -> None:
        ask_for_stop(place, self.trainer.fit_loop.epoch_loop.total_batch_idx + 1)


class Undrawn(Net):
    """Draws nothing while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


class Scale:
    """An object that a library would pickle, and that training changes."""

    def __init__(self) -> None:
        self.factor, self.kind = 1.0, Scale


class Packing(Net):
    """Adds an object of its own to checkpoints, and a word, and relies on finding both."""

    def __init__(self, lr: float = 0.01) -> None:  # noqa: ARG002 - a hyperparameter
        super().__init__()
        self.save_hyperparameters()
        self.scale = Scale()
        self.word = "none"

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["special"] = {"scale": self.scale}
        checkpoint["word"] = "saved"
        checkpoint[self.CHECKPOINT_HYPER_PARAMS_KEY].update(scale=self.scale)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.scale, self.word = checkpoint["special"]["scale"], checkpoint["word"]
        if self.word != "saved":
            raise ValueError(self.word)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.scale.factor *= 0.9
        return self.scale.factor * super().training_step(batch, batch_idx)


class Memory:
    """As a replay buffer: it counts with what can't be written, and says what its state is."""

    def __init__(self) -> None:
        self._count = multiprocessing.Value("i", 0)
        self._newest: Any = None

    def add(self, loss: float) -> None:
        self._count.value += 1
        self._newest = multiprocessing.Value("d", loss)

    def mean(self) -> float:
        return float(self._newest.value / self._count.value)

    def state_dict(self) -> dict[str, Any]:
        newest = None if self._newest is None else self._newest.value
        return {"count": self._count.value, "newest": newest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._count.value = state["count"]
        self._newest = multiprocessing.Value("d", state["newest"])


class Replaying(Net):
    """Learns from what it remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Memory()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        scale = 1 if batch_idx + self.current_epoch == 0 else self.memory.mean()
        loss: Tensor = super().training_step(batch, batch_idx)
        self.memory.add(float(loss.detach()))
        pushed: Tensor = loss + scale * self.net(batch[0]).mean()
        return pushed


class Plateau(Net):
    """As in lightning-hydra-template."""

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "monitor": "val_loss"},
        }


class Swapping(Net):
    """Validates with averaged weights."""

    def __init__(self) -> None:
        super().__init__()
        self.average = copy.deepcopy(self.net).requires_grad_(False)

    def on_train_batch_end(self, *_: Any) -> None:
        with torch.no_grad():
            for mean, present in zip(self.average.parameters(), self.net.parameters(), strict=True):
                mean.lerp_(present, 0.1)
        super().on_train_batch_end()

    def on_validation_start(self) -> None:
        self.kept = copy.deepcopy(self.net.state_dict())
        self.net.load_state_dict(self.average.state_dict())

    def on_validation_end(self) -> None:
        self.net.load_state_dict(self.kept)


class SwappingEarly(Swapping):
    """Swaps where a schedule-free optimizer does: before the validation has begun."""

    def on_validation_model_eval(self) -> None:
        super().on_validation_start()
        super().on_validation_model_eval()

    def on_validation_start(self) -> None:
        pass


class Averaged(Net):
    """With Lightning's own average."""

    def configure_callbacks(self) -> Any:
        return [EMAWeightAveraging(decay=0.9)]


class Annealed(Net):
    """Has a weight that is set where an epoch begins; without it, there is none."""

    def on_train_epoch_start(self) -> None:
        self.weight = self.current_epoch / 2

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return self.weight * super().training_step(batch, batch_idx)


class Accumulating(Net):
    def configure_callbacks(self) -> Any:
        return [GradientAccumulationScheduler({0: 1, 1: 3, 2: 2})]


class Stochastic(Net):
    def configure_callbacks(self) -> Any:
        return [StochasticWeightAveraging(swa_lrs=0.02, swa_epoch_start=1, annealing_epochs=2)]


class Outputs(Net):
    """Lightning's own idiom."""

    def __init__(self) -> None:
        super().__init__()
        self.outputs: list[Tensor] = []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        self.outputs.append(super().training_step(batch, batch_idx))
        return self.outputs[-1]

    def on_train_epoch_end(self) -> None:
        self.log("mean", torch.stack(self.outputs).mean())
        self.outputs.clear()


class Recurrent(Net):
    """Carries its state from batch to batch."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(4, 4)
        self.hidden: Tensor | None = None

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        before = torch.zeros(len(batch[0]), 4) if self.hidden is None else self.hidden
        hidden = self.cell(batch[0], before)
        self.hidden = hidden.detach()
        return super().training_step((hidden, batch[1]), batch_idx)


class Loading(Recurrent):
    """Brings its loaders itself, and its batches in an order that is drawn."""

    def train_dataloader(self) -> Any:
        return Data(noisy=True).train_dataloader()

    def val_dataloader(self) -> Any:
        return Data().val_dataloader()


class Helper:
    """An object that is no module."""

    def __init__(self) -> None:
        self.mean = 1.0
        self.recent: deque[float] = deque(maxlen=3)

    def weigh(self, loss: float) -> float:
        self.mean = 0.9 * self.mean + 0.1 * loss
        self.recent.append(loss)
        return self.mean + max(self.recent)


class Balanced(Net):
    """Weighs by what was seen, and draws from generators of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.helper = Helper()
        self.torch = torch.Generator().manual_seed(1)
        self.numpy = np.random.default_rng(1)
        self.seen: dict[str, Any] = {"steps": 0, "shapes": set()}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        noise = torch.randn(4, 4, generator=self.torch)
        noise = noise + torch.from_numpy(self.numpy.normal(size=(4, 4))).float()
        loss = super().training_step((batch[0] + 0.1 * noise, batch[1]), batch_idx)
        self.seen["steps"] += 1
        self.seen["shapes"].add(tuple(batch[0].shape))
        self.log("seen", float(self.seen["steps"] + len(self.seen["shapes"])))
        return loss / self.helper.weigh(float(loss))


class Unfreezing(BaseFinetuning):
    def freeze_before_training(self, pl_module: LightningModule) -> None:
        assert isinstance(pl_module, Net)
        self.freeze(pl_module.net[0])

    def finetune_function(
        self, pl_module: LightningModule, epoch: int, optimizer: torch.optim.Optimizer
    ) -> None:
        assert isinstance(pl_module, Net)
        if epoch == 1:
            self.unfreeze_and_add_param_group(pl_module.net[0], optimizer, lr=0.005)


class Finetuned(Net):
    def configure_callbacks(self) -> Any:
        return [Unfreezing()]

    def configure_optimizers(self) -> Any:
        trained = [each for each in self.parameters() if each.requires_grad]
        return torch.optim.SGD(trained, lr=0.05)


class Wrapped(Net):
    """Metrics around metrics."""

    def __init__(self) -> None:
        super().__init__()
        self.running = Running(MeanMetric(), 15)
        self.extremes = MinMaxMetric(BinaryAccuracy())
        self.tracker = MetricTracker(BinaryAccuracy())

    def on_train_epoch_start(self) -> None:
        self.tracker.increment()

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        guess, truth = self.net(batch[0]).sigmoid(), batch[1].int()
        self.running.update(loss.detach())
        self.extremes.update(guess, truth)
        self.tracker.update(guess, truth)
        extremes = self.extremes.compute()
        self.log("running", self.running.compute())
        self.log("least", extremes["min"])
        self.log("most", extremes["max"])
        return loss

    def on_train_epoch_end(self) -> None:
        self.log("best", torch.as_tensor(self.tracker.best_metric()))
        super().on_train_epoch_end()


class Skipping(Net):
    """Ends each epoch early."""

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> Any:  # noqa: ARG002
        return -1 if batch_idx == 6 else None


class SkippingOfRanks(Net):
    """Ends each epoch early, each rank at a batch of its own."""

    def __init__(self, batches: list[int]) -> None:
        super().__init__()
        self.batches = batches

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> Any:  # noqa: ARG002
        return -1 if batch_idx == self.batches[self.global_rank] else None


class GatheringGradients(Net):
    """Steps at every fourth batch, by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        self.manual_backward(loss / 4)
        optimizer: Any = self.optimizers()
        if (batch_idx + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
        return loss.detach()


class Impatient(Net):
    """Wants to end long before it may."""

    def configure_callbacks(self) -> Any:
        return [EarlyStopping("worse", patience=1)]

    def on_validation_epoch_end(self) -> None:
        self.log("worse", float([1, 2, 3, 2, 1, 0.9, 0.8, 0.7][self.current_epoch]))


class Iterating(Net):
    """Takes its batches itself."""

    def training_step(self, dataloader_iter: Any) -> Tensor:  # type: ignore[override]
        batch, _, _ = next(dataloader_iter)
        loss = self.loss(batch)
        self.log("train_loss", loss, batch_size=4)
        return loss


class KnowingTheEpoch(Net):
    """Tells its data the epoch, as Hugging Face's streams want it."""

    def on_train_epoch_start(self) -> None:
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        data.items.set_epoch(self.current_epoch)


class LoggingNowAndThen(Net):
    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss = self.loss(batch)
        if batch_idx % 4 == 0:
            self.log("train_loss", loss, on_step=True, on_epoch=True)
        return loss


class HalfFrozen(Net):
    """Keeps its batch norm in eval mode from the third batch of an epoch on."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if batch_idx == 2:
            self.norm.eval()
        return super().training_step((self.norm(batch[0]), batch[1]), batch_idx)

    def on_train_epoch_end(self) -> None:
        self.norm.train()
        super().on_train_epoch_end()


class CountingValidations(Net):
    """Trains by how many batches it was validated with, which Lightning's check is one of."""

    validated = 0

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return super().training_step(batch, batch_idx) * (1 + self.validated)

    def on_validation_batch_start(self, *_: Any) -> None:
        self.validated += 1


class Unkept(Net):
    """Holds what can't be written down."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[nn.Module] = []
        self.function = len
        self.made: Helper | None = None

    def on_train_epoch_start(self) -> None:
        self.layers.append(nn.Linear(2, 2))
        self.made = Helper()


class Drawing(Net):
    """Draws by way of the logger's `experiment`, as with TensorBoard's."""

    def on_train_epoch_end(self) -> None:
        experiment: Any = self.logger.experiment  # type: ignore[union-attr]
        experiment.add_image("noise", torch.rand(1, 4, 4), self.current_epoch)
        weights = next(self.parameters()).detach()
        experiment.add_histogram("weights", weights)
        experiment.add_scalar("mean weight", weights.mean())
        experiment.add_graph(self)
