"""A module that keeps its state in places where few would look for it."""

import copy
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from lightning.pytorch import Callback
from own_kinds import Batch, Net  # type: ignore[import-not-found]  # beside this file
from own_loaders import Data  # type: ignore[import-not-found]
from torch import Tensor, nn
from torchmetrics import MeanMetric


class Phase(Enum):
    WARM = 1
    COLD = 2


class Seen(NamedTuple):
    batches: int
    loss: float


@dataclass(frozen=True)
class Bounds:
    high: float = 0.0


@dataclass(slots=True)
class Tally:
    count: int = 0


class Words(dict[str, int]):
    """A dict of one's own."""


class Rate:
    """Is called like a function, and counts that."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


class Average:
    """Of a network's weights, as in many a repository: a copy of it, in an object."""

    def __init__(self, net: nn.Module) -> None:
        self.shadow = copy.deepcopy(net).requires_grad_(False)
        self.updates = itertools.count()
        self.mean = {"of": [MeanMetric()]}

    @torch.no_grad()
    def update(self, net: nn.Module) -> float:
        rate = 1 / (2 + next(self.updates))
        for mean, now in zip(self.shadow.parameters(), net.parameters(), strict=True):
            mean.lerp_(now, rate)
        [metric] = self.mean["of"]
        metric.update(next(self.shadow.parameters()).sum())
        return float(metric.compute())


def counting() -> Callable[[], int]:
    """A function with a number in its closure."""
    called = 0

    def count() -> int:
        nonlocal called
        called += 1
        return called

    return count


class Odd(Net):  # type: ignore[misc]  # not seen from here
    """What it does with its state is of no use, but for its weights."""

    known: list[float] = []  # noqa: RUF012 - as people write it
    grown: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.save_hyperparameters({"decay": 0.5})
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.scales = [nn.Parameter(torch.zeros(1))]
        self.center = torch.zeros(4)
        self.array = np.zeros(3, dtype=np.float32)
        self.shared = torch.from_numpy(self.array)
        self.wide = np.zeros(2, dtype=np.longdouble)
        self.foreign = np.zeros(2, dtype=">f4")
        self.counter: Counter[str] = Counter()
        self.words = Words(n=0)
        self.rate, self.bound, self.later = Rate(), Rate().__call__, partial(Rate())
        self.closure = counting()
        self.average = Average(self.net)
        self.exact: list[Any] = [Decimal("0.1"), Fraction(1, 3), 1j, range(2)]
        self.bounds, self.tally, self.seen = Bounds(), Tally(), Seen(0, 0.0)
        self.phase: Phase | None = None
        self.history: deque[Any] = deque(maxlen=4)
        self.first = True
        self.register_buffer("mask", torch.zeros(2), persistent=False)
        self.register_buffer("grown", None)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        loss: Tensor = super().training_step(batch, batch_idx)
        state = sum(map(float, self._advance(float(loss.detach()))))
        self.log("state", state)
        return loss * (1 + 0.001 * state) * self.log_alpha.exp() * self.scales[0].exp()

    def _advance(self, loss: float) -> list[Any]:
        return [*self._tensors(), *self._containers(loss), *self._objects(loss)]

    def _tensors(self) -> list[Any]:
        self.center.data.add_(0.5)
        self.array += 1
        self.wide += 1
        self.foreign += 1
        self.mask += 1
        self.grown = torch.ones(1) if self.grown is None else torch.cat([self.grown, self.mask])
        arrays = (self.shared, self.wide, self.foreign)
        return [self.center.sum(), *(each.sum() for each in arrays), self.grown.sum()]

    def _containers(self, loss: float) -> list[Any]:
        if not hasattr(self, "late"):
            self.late: defaultdict[str, list[float]] = defaultdict(list)
        self.late["new" if len(self.late["old"]) > 3 else "old"].append(loss)
        self.counter["n"] += 1
        self.words["n"] += 1
        self.known.append(loss)
        self.hparams.decay *= 0.9
        first = getattr(self, "first", False)
        if first and len(self.known) > 5:
            del self.first
        sizes = map(len, (*self.late.values(), self.known))
        return [*sizes, self.counter["n"], self.words["n"], self.hparams.decay, first]

    def _objects(self, loss: float) -> list[Any]:
        self.bounds = replace(self.bounds, high=max(loss, self.bounds.high))
        self.tally.count += 1
        self.seen = Seen(self.seen.batches + 1, loss)
        self.history.append(self.seen)
        before, self.phase = self.phase, Phase.COLD
        self.exact = [each + 1 for each in self.exact[:3]] + [range(len(self.exact[3]) + 1)]
        called = [each() for each in (self.rate, self.bound, self.later, self.closure)]
        kept = [self.bounds.high, self.tally.count, before is Phase.COLD, self.history[0].loss]
        exact = [*self.exact[:2], self.exact[2].real, len(self.exact[3])]
        return [*called, *kept, *exact, self.average.update(self.net)]

    def on_fit_start(self) -> None:
        """Forget what an earlier training of this process has left with the class."""
        self.known.clear()

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam([*self.parameters(), self.log_alpha, *self.scales], 0.01)


class Halving(Callback):
    """Changes the weights as training ends."""

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        with torch.no_grad():
            for each in pl_module.parameters():
                each.mul_(0.5)


class Shadowing(Callback):
    """An average of the weights in a callback without a `state_dict`, taken over at each epoch."""

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Begin with those that there are."""
        self.shadow = {name: each.clone() for name, each in pl_module.net.state_dict().items()}
        self.steps = 0

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        """Average."""
        self.steps += 1
        for name, each in pl_module.net.state_dict().items():
            self.shadow[name].lerp_(each, 1 / (1 + self.steps))

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Go on from the average."""
        pl_module.net.load_state_dict(self.shadow)


class Curriculum(Data):  # type: ignore[misc]
    """Makes batches harder from one to the next."""

    seen = 0

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Count those of training."""
        self.seen += self.trainer.training
        return batch[0] + 0.01 * self.seen, batch[1]
