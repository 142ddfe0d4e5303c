"""Parts of modules that have a hand in what optimizers do."""

from collections import defaultdict
from typing import Any

import torch
from own_parts import Part  # type: ignore[import-not-found]  # beside this file
from torch import Tensor, nn

Model = Any


class Joining(Part):  # type: ignore[misc]  # not seen from here
    """Parameters that the optimizer gets late: a layer's in the second epoch, two by step.

    It gets them with rates of their own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.scale, self.shift = nn.Parameter(torch.ones(4)), nn.Parameter(torch.zeros(4))

    def late(self) -> list[Tensor]:
        """What no optimizer is to hold at first."""
        return [*self.layer.parameters(), self.scale, self.shift]

    def begin_epoch(self, model: Model) -> None:
        if model.current_epoch == 1:
            _first_optimizer(model).add_param_group({"params": self.layer.parameters(), "lr": 0.02})

    def end_step(self, model: Model) -> None:
        batches = model.trainer.fit_loop.epoch_loop.total_batch_idx
        if batches == 3:
            _first_optimizer(model).add_param_group({"params": [self.shift, self.scale]})

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs * self.scale + self.shift + 0.1 * self.layer(inputs)
        return changed


class Watching(Part):  # type: ignore[misc]
    """Keeps the gradients' norms, by the layer, and clips by what they were."""

    def __init__(self) -> None:
        super().__init__()
        self.norms: defaultdict[str, list[float]] = defaultdict(list)
        self.mean: Tensor | None = None

    def before_optimizer(self, model: Model, optimizer: Any) -> None:  # noqa: ARG002
        held = [(name, each.grad) for name, each in model.net.named_parameters()]
        for name, gradient in held:
            if gradient is not None:
                self.norms[name].append(float(gradient.norm()))
        norms = torch.tensor([each[-1] for each in self.norms.values()])
        now = norms.mean()
        self.mean = now if self.mean is None else 0.9 * self.mean + 0.1 * now
        nn.utils.clip_grad_norm_(model.net.parameters(), float(self.mean))


def _first_optimizer(model: Model) -> Any:
    return model.trainer.optimizers[0]


PARTS: dict[str, Any] = {each.__name__.lower(): each for each in (Joining, Watching)}
