"""Optimizers and learning-rate schedulers by name."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import nn, optim
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from pcm.chain.choice import choose
from pcm.errors import ConfigError, Fault

OPTIMIZERS: dict[str, type[optim.Optimizer]] = {
    "adam": optim.Adam,
    "sgd": optim.SGD,
    "adagrad": optim.Adagrad,
    "rmsprop": optim.RMSprop,
}

_MANUAL_KEYS = ("interval", "frequency", "name")

Factor: TypeAlias = Callable[[int], float]
"""Steps done -> factor of the optimizer's own learning rate."""


def step_factor(step_size: int, gamma: float = 0.1, total_iters: int | None = None) -> Factor:
    """Times `gamma` every `step_size` steps, until `total_iters` steps are done."""

    def factor(steps: int) -> float:
        counted = steps if total_iters is None else min(steps, total_iters)
        return float(gamma ** (counted // step_size))

    return factor


def linear_factor(
    start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5
) -> Factor:
    """As torch's `LinearLR`: from one factor to the other in `total_iters` steps."""

    def factor(steps: int) -> float:
        way = min(steps, total_iters) / total_iters
        return start_factor + (end_factor - start_factor) * way

    return factor


def const_factor(factor: float = 1 / 3, total_iters: int = 5) -> Factor:
    """As torch's `ConstantLR`: `factor` for `total_iters` steps, then 1."""

    def constant(steps: int) -> float:
        return factor if steps < total_iters else 1.0

    return constant


FACTORS: dict[str, Callable[..., Factor]] = {
    "step": step_factor,
    "linear": linear_factor,
    "const": const_factor,
}


def build_scheduler(optimizer: optim.Optimizer, specs: Sequence[Mapping[str, Any]]) -> LRScheduler:
    """One scheduler that does what all of `specs` say at once: their factors multiply.

    That is what torch's `ChainedScheduler` does; in closed form, the rate at a step does not
    depend on how training got there.
    """
    factors = [choose(FACTORS, spec["name"], "LR scheduler")(**spec["kwargs"]) for spec in specs]
    return LambdaLR(optimizer, lambda steps: math.prod(factor(steps) for factor in factors))


def build_optimizer(cfg: Mapping[str, Any], links: nn.ModuleDict) -> dict[str, Any]:
    """One optimizer with its LR scheduler, in the form `configure_optimizers` returns.

    Raises:
        ConfigError: an unknown name, or none of the links has parameters.
    """
    optimizer_class = choose(OPTIMIZERS, cfg["optimizer_name"], "optimizer")
    parameters = [parameter for name in cfg["links"] for parameter in links[name].parameters()]
    if not parameters:
        fault = Fault(
            "none of the optimizer's links has parameters",
            key="optimizers",
            found=", ".join(cfg["links"]),
        )
        raise ConfigError([fault])
    optimizer = optimizer_class(parameters, **cfg["kwargs"])
    if cfg["lr_scheduler"] is None:
        return {"optimizer": optimizer}
    scheduler = build_scheduler(optimizer, cfg["lr_scheduler"]["schedulers"])
    return {
        "optimizer": optimizer,
        "lr_scheduler": {"scheduler": scheduler, **_known_to_manual_optimization(cfg)},
    }


def _known_to_manual_optimization(cfg: Mapping[str, Any]) -> dict[str, Any]:
    """Lightning's scheduler config without what only schedulers that watch a metric need."""
    out_cfg_kwargs: Mapping[str, Any] = cfg["lr_scheduler"]["out_cfg_kwargs"]
    return {key: out_cfg_kwargs[key] for key in _MANUAL_KEYS if key in out_cfg_kwargs}


def check_owners(cfg: Sequence[Mapping[str, Any]], links: nn.ModuleDict) -> None:
    """Check that every link with parameters belongs to exactly one optimizer.

    For the catalogue's links that is known without them; a link of the user's own can only
    be asked.

    Raises:
        ConfigError: with every link that doesn't.
    """
    listed = Counter(name for optimizer in cfg for name in optimizer["links"])
    faults = [
        Fault(
            f"link '{name}' belongs to {listed[name] or 'no'} optimizer{'s'[: listed[name] != 1]}",
            key="optimizers",
            expected="one optimizer for each link with parameters",
        )
        for name, link in links.items()
        if any(parameter.requires_grad for parameter in link.parameters()) and listed[name] != 1
    ]
    if faults:
        raise ConfigError(faults)


def clear_gradients(optimizers: Sequence[LightningOptimizer]) -> None:
    """`zero_grad` of all optimizers, without a profiler's record for each."""
    for optimizer in optimizers:
        for group in optimizer.optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
