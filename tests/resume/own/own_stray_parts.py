"""Parts of modules whose state is where few would look for it: in containers, closures, classes."""

import copy
import itertools
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from own_odd import Average, Rate, Seen, Words, counting  # type: ignore[import-not-found]
from own_parts import Part  # type: ignore[import-not-found]  # beside this file
from torch import Tensor, nn

Model = Any


@dataclass(frozen=True)
class Range:
    low: float = 1.0
    high: float = 0.0

    def holding(self, value: float) -> "Range":
        return replace(self, low=min(self.low, value), high=max(self.high, value))


class Stray(Part):  # type: ignore[misc]  # not seen from here
    """Scales the loss by a number that its state gives."""

    def weigh(self, model: Model, loss: Tensor) -> Tensor:
        return loss * (1 + 0.01 * self.advance(model, float(loss.detach())))

    def advance(self, model: Model, loss: float) -> float:
        """Change the state, and say what it comes to."""
        raise NotImplementedError


class Counted(Stray):
    """In subclasses of dicts, in named tuples and frozen dataclasses, some in one another."""

    def __init__(self) -> None:
        super().__init__()
        self.counter: Counter[str] = Counter()
        self.words = Words(n=0)
        self.history: deque[Seen] = deque(maxlen=4)
        self.bounds = Range()
        self.by_epoch: defaultdict[int, list[float]] = defaultdict(list)

    def advance(self, model: Model, loss: float) -> float:
        self.counter["odd" if self.counter["even"] > self.counter["odd"] else "even"] += 1
        self.words["n"] += 1
        self.history.append(Seen(self.words["n"], loss))
        self.bounds = self.bounds.holding(loss)
        self.by_epoch[model.current_epoch].append(loss)
        recent = sum(each.loss for each in self.history)
        return float(recent + self.bounds.high + sum(map(len, self.by_epoch.values())))


class Closed(Stray):
    """In what is called: closures, partials, bound methods, objects, an iterator."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = [counting(), Rate(), Rate().__call__, partial(Rate())]
        self.numbers = itertools.count(1)

    def advance(self, model: Model, loss: float) -> float:  # noqa: ARG002
        return float(sum(call() for call in self.calls) + next(self.numbers)) / 10


class Copied(Stray):
    """In copies of the module's layers, of which no module knows."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.average = Average(model.net)
        self.teachers = [copy.deepcopy(model.net).requires_grad_(False)]

    def advance(self, model: Model, loss: float) -> float:  # noqa: ARG002
        return float(self.average.update(model.net)) / 10

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        taught = self.teachers[0].eval()(inputs).detach()
        changed: Tensor = inputs + 0.1 * taught
        return changed

    def end_epoch(self, model: Model) -> None:
        self.teachers[0].load_state_dict(model.net.state_dict())


class Held(Part):  # type: ignore[misc]
    """In tensors that no module knows of, and an optimizer holds."""

    def __init__(self) -> None:
        super().__init__()
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.scales = [nn.Parameter(torch.zeros(1))]

    def held(self) -> list[Tensor]:
        return [self.log_alpha, *self.scales]

    def weigh(self, model: Model, loss: Tensor) -> Tensor:  # noqa: ARG002
        return loss * self.log_alpha.exp() * self.scales[0].exp() - 0.1 * self.log_alpha.sum()


class Written(Stray):
    """In arrays, in tensors written by way of `.data`, in buffers that no checkpoint has."""

    grown: Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.center = torch.zeros(4)
        self.array = np.zeros(3, dtype=np.float32)
        self.shared = torch.from_numpy(self.array)
        self.register_buffer("mask", torch.zeros(2), persistent=False)
        self.register_buffer("grown", None)

    def advance(self, model: Model, loss: float) -> float:  # noqa: ARG002
        self.center.data.add_(0.1 * loss)
        self.array += 0.1
        self.mask += loss
        last = self.mask.float().cpu()[:1].clone()
        self.grown = last if self.grown is None else torch.cat([self.grown, last])[-5:]
        return float(self.center.sum() + self.shared.sum() + self.mask.sum() + self.grown.sum())

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        self.center.data.mul_(0.9)


class Common(Stray):
    """In its class, and in an attribute that is deleted in time."""

    losses: list[float] = []  # noqa: RUF012 - as people write it
    steps = 0

    def begin_fit(self, model: Model) -> None:  # noqa: ARG002
        """Forget what an earlier training of this process has left with the class."""
        self.losses.clear()
        type(self).steps = 0
        self.first = True

    def advance(self, model: Model, loss: float) -> float:  # noqa: ARG002
        self.losses.append(loss)
        type(self).steps += 1
        if hasattr(self, "first") and self.steps > 8:
            del self.first
        return float(sum(self.losses[-3:]) + self.steps / 100 + hasattr(self, "first"))


PARTS: dict[str, Any] = {
    each.__name__.lower(): each for each in (Counted, Closed, Copied, Held, Written, Common)
}
