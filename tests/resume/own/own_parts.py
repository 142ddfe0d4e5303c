"""Parts of modules, each with a state of another kind; `own_mixes.Mixed` is made of any of them."""

import copy
import random
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric, MetricCollection, MetricTracker, MinMaxMetric
from torchmetrics.classification import BinaryAccuracy, BinaryF1Score
from torchmetrics.wrappers import Running

Model = Any


class Part(nn.Module):
    """Does nothing, in the hooks that parts have."""

    def held(self) -> list[Tensor]:
        """Tensors that are no parameters of the module, and that an optimizer is to hold."""
        return []

    def late(self) -> list[Tensor]:
        """Parameters that no optimizer is to hold at first."""
        return []

    def begin_fit(self, model: Model) -> None:
        """In `on_fit_start`."""

    def begin_epoch(self, model: Model) -> None:
        """In `on_train_epoch_start`."""

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        """The inputs of a training step."""
        return inputs

    def weigh(self, model: Model, loss: Tensor) -> Tensor:  # noqa: ARG002
        """The loss of a training step."""
        return loss

    def before_optimizer(self, model: Model, optimizer: Any) -> None:
        """In `on_before_optimizer_step`."""

    def end_step(self, model: Model) -> None:
        """In `on_train_batch_end`."""

    def begin_validation(self, model: Model) -> None:
        """In `on_validation_start`."""

    def validate(self, model: Model, inputs: Tensor) -> None:
        """In `validation_step`."""

    def end_validations_epoch(self, model: Model) -> None:
        """In `on_validation_epoch_end`."""

    def end_validation(self, model: Model) -> None:
        """In `on_validation_end`."""

    def end_epoch(self, model: Model) -> None:
        """In `on_train_epoch_end`."""


class Annealed(Part):
    def begin_epoch(self, model: Model) -> None:
        self.weight = 1 / (1 + model.current_epoch)

    def weigh(self, model: Model, loss: Tensor) -> Tensor:  # noqa: ARG002
        weighed: Tensor = self.weight * loss
        return weighed


class Averaged(Part):
    """Validates with averaged weights, in the usual way."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.average = copy.deepcopy(model.net).requires_grad_(False)

    def end_step(self, model: Model) -> None:
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), model.net.parameters(), strict=True):
                mean.lerp_(now, 0.2)

    def begin_validation(self, model: Model) -> None:
        self.kept = copy.deepcopy(model.net.state_dict())
        model.net.load_state_dict(self.average.state_dict())

    def end_validation(self, model: Model) -> None:
        model.net.load_state_dict(self.kept)
        del self.kept


class Exchanged(Averaged):
    """Swaps storages, which torch's count of versions doesn't see."""

    def begin_validation(self, model: Model) -> None:
        self._swap(model)

    def end_validation(self, model: Model) -> None:
        self._swap(model)

    def _swap(self, model: Model) -> None:
        for mean, now in zip(self.average.parameters(), model.net.parameters(), strict=True):
            mean.data, now.data = now.data, mean.data


class Remembering(Part):
    """Keeps outputs in a list of the module, and logs their mean."""

    def begin_epoch(self, model: Model) -> None:
        model.outputs = []

    def weigh(self, model: Model, loss: Tensor) -> Tensor:
        model.outputs.append(loss.detach())
        return loss

    def end_epoch(self, model: Model) -> None:
        model.log("outputs", torch.stack(model.outputs).mean())


class Recurrent(Part):
    """Carries a hidden state from batch to batch, and over validations."""

    hidden: Tensor | None = None

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(4, 4)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        before = torch.zeros(1, 4, dtype=inputs.dtype) if self.hidden is None else self.hidden
        hidden = self.cell(inputs.mean(0, keepdim=True), before)
        self.hidden = hidden.detach()
        changed: Tensor = inputs + hidden
        return changed

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        self.hidden = None


class Tracker:
    """An object that is no module."""

    def __init__(self) -> None:
        self.mean = 1.0
        self.recent: deque[float] = deque(maxlen=3)
        self.by_size: dict[int, list[float]] = {}


class Balanced(Part):
    """Weighs by what an object has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.tracker = Tracker()
        self.seen: dict[str, Any] = {"steps": 0, "shapes": set(), "last": None}

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        self.seen["steps"] += 1
        self.seen["shapes"].add(tuple(inputs.shape))
        before, self.seen["last"] = self.seen["last"], inputs.detach()
        return inputs if before is None else inputs + 0.1 * before.mean(0)

    def weigh(self, model: Model, loss: Tensor) -> Tensor:  # noqa: ARG002
        tracker = self.tracker
        tracker.mean = 0.9 * tracker.mean + 0.1 * float(loss)
        tracker.recent.append(float(loss))
        tracker.by_size.setdefault(self.seen["steps"] % 3, []).append(float(loss))
        return loss / (tracker.mean + max(tracker.recent))

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        self.seen["steps"] += 1

    def end_epoch(self, model: Model) -> None:
        model.log("seen", float(self.seen["steps"] + len(self.seen["shapes"])))
        model.log("by size", float(sum(map(sum, self.tracker.by_size.values()))))


class OwnGenerators(Part):
    def __init__(self) -> None:
        super().__init__()
        self.torch = torch.Generator().manual_seed(1)
        self.numpy = np.random.default_rng(1)
        self.legacy = np.random.RandomState(1)
        self.python = random.Random(1)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        noise = float(self.numpy.normal()) + self.legacy.normal() + self.python.gauss(0, 1)
        return inputs + 0.1 * noise * torch.randn(4, generator=self.torch).to(inputs)

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        self.python.random()


class SharedGenerators(Part):
    """Draws from everybody's, in every hook."""

    def begin_epoch(self, model: Model) -> None:  # noqa: ARG002
        torch.rand(2)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        noise = random.gauss(0, 0.1) + float(np.random.normal())
        return inputs + 0.1 * noise * torch.randn(4).to(inputs)

    def end_step(self, model: Model) -> None:  # noqa: ARG002
        random.random()

    def begin_validation(self, model: Model) -> None:  # noqa: ARG002
        torch.rand(1)

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        np.random.rand()

    def end_validation(self, model: Model) -> None:  # noqa: ARG002
        random.random()

    def end_epoch(self, model: Model) -> None:  # noqa: ARG002
        np.random.rand()


class Measured(Part):
    """Metrics, some around others."""

    def __init__(self) -> None:
        super().__init__()
        self.running = Running(MeanMetric(), 7)
        self.extremes = MinMaxMetric(BinaryAccuracy())
        self.tracker = MetricTracker(BinaryAccuracy())
        self.accuracy = BinaryAccuracy()
        self.several = MetricCollection([BinaryAccuracy(), BinaryF1Score()])

    def begin_epoch(self, model: Model) -> None:  # noqa: ARG002
        self.tracker.increment()

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:
        guess, truth = model.net(inputs).detach().sigmoid(), targets.int()
        for metric in (self.extremes, self.tracker, self.accuracy, self.several):
            metric.update(guess, truth)
        model.log("least", self.extremes.compute()["min"])
        model.log("accuracy", self.accuracy, on_step=False, on_epoch=True)
        return inputs

    def weigh(self, model: Model, loss: Tensor) -> Tensor:
        self.running.update(loss.detach())
        model.log("running", self.running.compute())
        return loss

    def end_epoch(self, model: Model) -> None:
        model.log("best", torch.as_tensor(self.tracker.best_metric()))
        model.log_dict(self.several.compute())
        self.several.reset()


class Frozen(Part):
    """A batch norm that is kept in eval mode from the fourth batch on, until an epoch ends."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.2)
        self.drop.eval()
        self.batches = 0

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        self.batches += 1
        if self.batches % 10 == 4:
            self.norm.eval()
            self.drop.train()
        changed: Tensor = self.drop(self.norm(inputs))
        return changed

    def end_epoch(self, model: Model) -> None:  # noqa: ARG002
        self.norm.train()


class Unfrozen(Part):
    """Trains its scale in every other epoch alone."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(4, 4)

    def begin_epoch(self, model: Model) -> None:
        self.scale.requires_grad_(model.current_epoch % 2 == 1)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs + self.scale(inputs)
        return changed


class Logging(Part):
    """Logs in all of Lightning's ways."""

    steps = 0

    def weigh(self, model: Model, loss: Tensor) -> Tensor:
        self.steps += 1
        model.log("greatest", loss.detach(), on_step=False, on_epoch=True, reduce_fx="max")
        model.log("sum", loss.detach(), on_epoch=True, reduce_fx="sum", prog_bar=True)
        if self.steps % 4 == 1:
            model.log("now and then", loss.detach(), on_step=True, on_epoch=True)
        return loss

    def validate(self, model: Model, inputs: Tensor) -> None:
        model.log("val_inputs", inputs.mean(), on_step=True, on_epoch=True)

    def end_validation(self, model: Model) -> None:
        model.last = {name: float(value) for name, value in model.trainer.callback_metrics.items()}

    def end_epoch(self, model: Model) -> None:
        model.log("known", float(len(getattr(model, "last", {}))))


class Accumulating(Part):
    """Sets how many batches make a step."""

    def begin_epoch(self, model: Model) -> None:
        if model.automatic_optimization:
            model.trainer.accumulate_grad_batches = 1 + model.current_epoch % 3


class Impatient(Part):
    """Asks for an end by itself."""

    def end_step(self, model: Model) -> None:
        if model.global_step >= 15:
            model.trainer.should_stop = True


PARTS: dict[str, type[Part]] = {
    each.__name__.lower(): each
    for each in (
        Annealed,
        Averaged,
        Exchanged,
        Remembering,
        Recurrent,
        Balanced,
        OwnGenerators,
        SharedGenerators,
        Measured,
        Frozen,
        Unfrozen,
        Logging,
        Accumulating,
        Impatient,
    )
}
