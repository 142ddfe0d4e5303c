"""Callbacks as people write them, with a state of their own and no `state_dict`."""

import copy
import itertools
import random
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback
from torch import Tensor


class Mood(Enum):
    CALM = 1
    KEEN = 2


@dataclass(frozen=True)
class Report:
    mood: Mood
    mean: Tensor


class Noting(Callback):
    """Scales the weights by what its state comes to, in values of many kinds."""

    def __init__(self) -> None:
        self.generator, self.numpy = random.Random(4), np.random.default_rng(4)
        self.torch = torch.Generator().manual_seed(4)
        self.counter: Counter[str] = Counter()
        self.recent: deque[float] = deque(maxlen=3)
        self.by_epoch: defaultdict[int, list[Report]] = defaultdict(list)
        self.numbers = itertools.count()
        self.sums = np.zeros(2)
        self.view = self.sums[1:]
        self.report = Report(Mood.CALM, torch.zeros(()))

    def on_train_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,  # noqa: ARG002
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        self.counter["odd" if batch_idx % 2 else "even"] += 1
        self.recent.append(self.generator.random() + float(self.numpy.random()))
        self.sums += 1
        self.view += float(torch.rand((), generator=self.torch))
        mood = Mood.KEEN if self.report.mood is Mood.CALM else Mood.CALM
        self.report = replace(self.report, mood=mood, mean=self.report.mean + 0.1)
        self.by_epoch[trainer.current_epoch].append(self.report)
        self._change(pl_module)

    def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:  # noqa: ARG002
        self.counter[type(optimizer).__name__] += 1

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        self.recent.append(self.generator.random())

    def _change(self, model: Any) -> None:
        parts = [sum(self.recent), sum(self.counter.values()), len(self.by_epoch), self.sums.sum()]
        parts += [next(self.numbers), self.report.mood.value, float(self.report.mean)]
        with torch.no_grad():
            next(model.net.parameters()).mul_(1 - 1e-4 * float(sum(map(float, parts))))


class Average(Callback):
    """An average of the weights, with which it validates and which it saves, as many a project's.

    It is made when training begins, and warms up with its number of updates.
    """

    def __init__(self, decay: float = 0.8) -> None:
        self.decay, self.updates = decay, 0

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        self.shadow = copy.deepcopy(pl_module.net.state_dict())

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any) -> None:  # noqa: ARG002
        self.updates += 1
        decay = min(self.decay, self.updates / (10 + self.updates))
        for name, each in pl_module.net.state_dict().items():
            self.shadow[name].lerp_(each, 1 - decay)

    def on_validation_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        self.stored = {name: each.clone() for name, each in pl_module.net.state_dict().items()}
        pl_module.net.load_state_dict(self.shadow)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        pl_module.net.load_state_dict(self.stored)
        del self.stored

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        pl_module.log("average", sum(each.float().sum() for each in self.shadow.values()))
