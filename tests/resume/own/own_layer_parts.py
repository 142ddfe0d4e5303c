"""Parts of modules with layers of less usual kinds, and with schedules of their own."""

from typing import Any

import torch
from own_parts import Part  # type: ignore[import-not-found]  # beside this file
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torchmetrics import MaxMetric, MeanMetric, MinMetric

Model = Any


class Tied(Part):  # type: ignore[misc]  # not seen from here
    """Shares its weight with the module's first layer."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 8)
        self.layer.weight = model.net[0].weight

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs + 0.1 * self.layer(inputs).mean(1, keepdim=True)
        return changed


class Normed(Part):  # type: ignore[misc]
    """Its weights are parametrized: by norm and direction, and by a norm that is approached."""

    def __init__(self) -> None:
        super().__init__()
        self.weighed = parametrizations.weight_norm(nn.Linear(4, 4))
        self.spectral = parametrizations.spectral_norm(nn.Linear(4, 4))
        self.old = nn.utils.spectral_norm(nn.Linear(4, 4))
        self.norm = nn.BatchNorm1d(4, momentum=None)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = self.norm(inputs + self.old(self.spectral(self.weighed(inputs))))
        return changed


class Complex(Part):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.filter = nn.Parameter(torch.ones(3, dtype=torch.complex64))
        self.last: Tensor | None = None

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        spectrum = torch.fft.rfft(inputs.float()) * self.filter
        self.last = spectrum.detach()
        changed: Tensor = torch.fft.irfft(spectrum, 4).to(inputs)
        return changed


class Lazy(Part):  # type: ignore[misc]
    """Knows its inputs with the first batch."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.LazyLinear(4)

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs + self.layer(inputs)
        return changed


class Hooked(Part):  # type: ignore[misc]
    """Keeps what a hook of a layer's saw last."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.seen: dict[str, Tensor] = {}
        model.net[0].register_forward_hook(self._note)

    def _note(self, layer: nn.Module, inputs: Any, output: Tensor) -> None:  # noqa: ARG002
        self.seen["mean"] = output.detach().mean()

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        return inputs + self.seen.get("mean", torch.zeros(()))


class Swapped(Part):  # type: ignore[misc]
    """Works with another of its own layers in every other epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])
        self.now = [self.layers[0]]

    def end_epoch(self, model: Model) -> None:
        self.now[0] = self.layers[(model.current_epoch + 1) % 2]

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs + self.now[0](inputs)
        return changed


class Scheduled(Part):  # type: ignore[misc]
    """By the epoch, by the step, and an optimizer's rate by hand."""

    def begin_epoch(self, model: Model) -> None:
        optimizers = model.optimizers()
        for each in optimizers if isinstance(optimizers, list) else [optimizers]:
            for group in each.param_groups:
                group["lr"] *= 0.9

    def change(self, model: Model, inputs: Tensor, targets: Tensor) -> Tensor:  # noqa: ARG002
        changed: Tensor = inputs * (1 + 0.1 * model.current_epoch + 0.01 * model.global_step)
        return changed


class Best(Part):  # type: ignore[misc]
    """Knows the best of what was validated, as lightning-hydra-template does."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.least, self.most = MeanMetric(), MinMetric(), MaxMetric()
        self.checked: list[Tensor] = []

    def validate(self, model: Model, inputs: Tensor) -> None:
        self.checked.append(model.net(inputs).mean().detach())
        self.mean(self.checked[-1])
        model.log("checked", self.mean, on_step=False, on_epoch=True)

    def end_validations_epoch(self, model: Model) -> None:
        if not self.checked:
            return
        self.least(self.mean.compute())
        self.most(torch.stack(self.checked).max())
        self.checked.clear()
        model.log("least checked", self.least.compute(), sync_dist=True)

    def weigh(self, model: Model, loss: Tensor) -> Tensor:  # noqa: ARG002
        if not self.least.update_called:
            return loss
        changed: Tensor = loss * (1 + 0.1 * (self.most.compute() - self.least.compute()).abs())
        return changed


PARTS: dict[str, Any] = {
    each.__name__.lower(): each
    for each in (Tied, Normed, Complex, Lazy, Hooked, Swapped, Scheduled, Best)
}
