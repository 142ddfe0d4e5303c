"""What torch's optimizers and schedulers refuse of their arguments, told before there is a node.

Arguments are those of a `class_path`; a chain's optimizers have kwargs of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.inspection import Findings, Inspector, Shape
from pcm.config.shapes import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Number, OneOf
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.typed_values import converted
from pcm.config.wording import shown

_PLATEAU = "lightning.pytorch.cli.ReduceLROnPlateau"
_OPTIMIZERS, _SCHEDULERS = "torch.optim.", "torch.optim.lr_scheduler."


@dataclass(frozen=True, eq=False)
class _Bounded(Shape):
    """A number within bounds; of lists and objects nothing is said."""

    bounds: Number

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, dict | list):
            return ()
        return inspector.inspect(converted(value, (self.bounds.kind,)), self.bounds)

    def __str__(self) -> str:
        return str(self.bounds)


@dataclass(frozen=True, eq=False)
class _Betas(Shape):
    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, dict):
            return ()
        if not isinstance(value, list) or len(value) != 2:
            return [Finding((), "not two numbers", shown(value), str(self))]
        return [
            found.under(index)
            for index, each in enumerate(value)
            for found in inspector.inspect(each, _BELOW_ONE)
        ]

    def __str__(self) -> str:
        return "two numbers from 0 to below 1"


_NOT_BELOW_ZERO, _SHARE, _COUNT = map(_Bounded, (NOT_NEGATIVE, FRACTION, COUNT))
_ABOVE_ZERO, _BELOW_ONE = _Bounded(POSITIVE), _Bounded(Number(float, low=0, below=1))

_OF_OPTIMIZERS: Mapping[str, ConfigStructure] = {
    **dict.fromkeys(("lr", "weight_decay", "eps", "momentum", "momentum_decay"), _NOT_BELOW_ZERO),
    **dict.fromkeys(("alpha", "lambd", "lr_decay"), _NOT_BELOW_ZERO),
    "initial_accumulator_value": _NOT_BELOW_ZERO,
    "rho": _SHARE,
    "betas": _Betas(),
}
"""By the argument's name: all optimizers agree."""

_STEPS = (None, _COUNT)

_OF_SCHEDULERS: Mapping[str, Mapping[str, ConfigStructure]] = {
    "StepLR": {"step_size": _COUNT},
    "MultiStepLR": {"milestones": (None, [float])},
    "ConstantLR": {"factor": _SHARE},
    "LinearLR": {"start_factor": _Bounded(Number(float, above=0, high=1)), "end_factor": _SHARE},
    "CosineAnnealingLR": {"T_max": _COUNT},
    "CosineAnnealingWarmRestarts": {"T_0": _COUNT, "T_mult": _COUNT},
    "CyclicLR": {
        "step_size_up": _ABOVE_ZERO,
        "step_size_down": (None, _ABOVE_ZERO),
        "mode": OneOf(("triangular", "triangular2", "exp_range"), "mode"),
    },
    "OneCycleLR": {
        **dict.fromkeys(("total_steps", "epochs", "steps_per_epoch"), _STEPS),
        **dict.fromkeys(("div_factor", "final_div_factor"), _ABOVE_ZERO),
        "pct_start": _SHARE,
        "anneal_strategy": OneOf(("cos", "linear"), "strategy"),
    },
    "ReduceLROnPlateau": {
        # Its signature doesn't say that it is a number, so that text stays text.
        "factor": Number(float, below=1),
        "mode": OneOf(("min", "max"), "mode"),
        "threshold_mode": OneOf(("rel", "abs"), "threshold mode"),
    },
}

_OF_EACH_GROUP = ("base_lr", "max_lr", "base_momentum", "max_momentum", "min_lr")
"""May be lists, with an item for each group of parameters."""

_WITHOUT_MOMENTUM = ("Adagrad", "Adadelta", "Adafactor", "ASGD", "Rprop", "LBFGS")


def bounds_of(class_path: str) -> Mapping[str, ConfigStructure]:
    """What each argument of a class may be; empty for one that isn't torch's."""
    _, _, name = class_path.rpartition(".")
    if class_path.startswith(_SCHEDULERS) or class_path == _PLATEAU:
        return _OF_SCHEDULERS.get(name, {})
    return _OF_OPTIMIZERS if class_path.startswith(_OPTIMIZERS) else {}


def check_optimizer(optimizer: Mapping[str, Any]) -> Iterator[Finding]:
    """What doesn't go together of the arguments of an optimizer that gets no others."""
    path, arguments = optimizer["class_path"], optimizer.get("init_args") or {}
    if not path.startswith(_OPTIMIZERS):
        return
    if arguments.get("fused") is True:
        for name in ("foreach", "differentiable"):
            if arguments.get(name) is True:
                yield Finding(("init_args", name), "not beside `fused`", "true", "one of them")
    is_nesterov = path.rpartition(".")[2] == "SGD" and arguments.get("nesterov") is True
    if is_nesterov and (arguments.get("dampening") or not arguments.get("momentum")):
        problem, expected = "nothing to work on", "momentum above 0 and no dampening"
        yield Finding(("init_args", "nesterov"), problem, "true", expected)


def check_schedule(scheduler: Mapping[str, Any], optimizer_path: str) -> Iterator[Finding]:
    """What a scheduler beside its optimizer refuses, of which all parameters are one group."""
    path, arguments = scheduler["class_path"], scheduler.get("init_args") or {}
    name = path.rpartition(".")[2]
    if not path.startswith(_SCHEDULERS):
        return
    if "last_epoch" in arguments and arguments["last_epoch"] != -1:
        problem, found = "it begins where training does", shown(arguments["last_epoch"])
        yield Finding(("init_args", "last_epoch"), problem, found, "no last_epoch")
    for key in (key for key in _OF_EACH_GROUP if key in arguments):
        value = arguments[key]
        if isinstance(value, list) and len(value) != 1:
            problem = "not one for the one group of parameters"
            yield Finding(("init_args", key), problem, shown(value), "a number")
    if name == "OneCycleLR" and arguments.get("total_steps") is None:
        for key in ("epochs", "steps_per_epoch"):
            if arguments.get(key) is None:
                expected = "total_steps, or epochs and steps_per_epoch"
                yield Finding(("init_args", key), "it doesn't know its length", None, expected)
    is_cyclic = name in ("OneCycleLR", "CyclicLR") and arguments.get("cycle_momentum", True)
    optimizer = optimizer_path.rpartition(".")[2]
    if is_cyclic and optimizer_path.startswith(_OPTIMIZERS) and optimizer in _WITHOUT_MOMENTUM:
        problem = f"{optimizer} has no momentum to cycle"
        yield Finding(("init_args", "cycle_momentum"), problem, None, "cycle_momentum: false")
