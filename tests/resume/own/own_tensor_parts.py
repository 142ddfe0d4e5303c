"""Parts of modules whose tensors share their memory with others, in one way or another."""

from typing import Any

import numpy as np
import torch
from own_parts import Part  # type: ignore[import-not-found]  # beside this file
from torch import Tensor, nn

Model = Any


class Embedded(Part):  # type: ignore[misc]  # not seen from here
    """Gradients of a table's rows, which are sparse."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(6, 4, sparse=True)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        words = (inputs[:, 0].detach().abs() * 10).long() % 6
        changed: Tensor = inputs + self.table(words)
        return changed


class Viewed(Part):  # type: ignore[misc]
    """Looks into a buffer and into an attribute, and writes to them by way of the views."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("means", torch.zeros(6))
        self.first, self.last = self.means[:3], self.means[4:]
        self.whole = torch.zeros(4, 2)
        self.column, self.turned = self.whole[:, 1], self.whole.T

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        self.first.mul_(0.9).add_(inputs.detach().mean())
        self.last += 0.1
        self.whole += 0.01
        self.turned[1, 0] += 0.1
        seen = self.means.sum() + self.column.sum() + self.whole.max()
        changed: Tensor = inputs + 0.1 * seen.to(inputs)
        return changed


class Renewed(Part):  # type: ignore[misc]
    """Makes its tensors anew for each epoch, with views of them, and a copy of one's memory."""

    def begin_fit(self, model: Model) -> None:
        self.begin_epoch(model)

    def begin_epoch(self, model: Model) -> None:  # noqa: ARG002
        self.queue = torch.zeros(5, 2)
        self.rows = list(self.queue)
        self.flat = self.queue.view(-1)
        self.array = np.zeros(4, dtype=np.float32)
        self.half, self.tensor = self.array[::2], torch.from_numpy(self.array)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        self.rows[int(self.array[1]) % 5].add_(inputs.detach().mean())
        self.flat += 0.01
        self.array += 1
        self.half[0] += 0.5
        seen = float(self.queue.sum() + self.tensor.sum() + self.half.sum()) / 100
        return inputs + seen

    def validate(self, model: Model, inputs: Tensor) -> None:  # noqa: ARG002
        self.flat.mul_(0.9)


class Shared(Part):  # type: ignore[misc]
    """Two parameters in the memory of one, as flattened modules have them."""

    def __init__(self) -> None:
        super().__init__()
        self.flat = torch.randn(12)
        self.left = nn.Parameter(self.flat[:8].view(2, 4))
        self.right = nn.Parameter(self.flat[4:].view(2, 4))

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs + 0.1 * (inputs @ self.left.T @ self.right)
        return changed

    def end_step(self, model: Model) -> None:  # noqa: ARG002
        self.flat.mul_(0.99)


PARTS: dict[str, Any] = {each.__name__.lower(): each for each in (Viewed, Renewed, Shared)}
