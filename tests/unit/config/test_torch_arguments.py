"""What is refused of torch's optimizers and schedulers, against torch."""

import inspect
import math
import warnings
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn, optim
from torch.optim import lr_scheduler

from pcm.config.structure import Inspector
from pcm.config.structures.own import OWN_MODEL
from pcm.config.structures.torch_arguments import bounds_of
from pcm.errors import ConfigError
from pcm.training.building.classes import build_factory

VALUES: tuple[Any, ...] = (
    *(-1, 0, 1, 2, 0.0, 0.5, 1.0, 1.5, -0.5, math.nan, "0.5", "ten", "min", "cos", None, True),
    *([], [0.5], [0, 0.9], [0.5, 1], [-0.1, 0.9]),
)
PLATEAU = "lightning.pytorch.cli.ReduceLROnPlateau"

OPTIMIZERS = ("SGD", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop")

SCHEDULERS: Mapping[str, dict[str, Any]] = {
    "StepLR": {"step_size": 2},
    "MultiStepLR": {"milestones": [1]},
    "CosineAnnealingLR": {"T_max": 3},
    "CosineAnnealingWarmRestarts": {"T_0": 2},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "OneCycleLR": {"max_lr": 0.1, "total_steps": 10},
    "ConstantLR": {},
    "LinearLR": {},
    "ReduceLROnPlateau": {"monitor": "loss"},
}

CYCLE = {"max_lr": 0.1, "total_steps": 10}

_BACKWARDS = ("step_size", "T_max", "step_size_up", "step_size_down", "div_factor")
"""Schedules run backwards, or the other way round, by negative ones of these."""

_IGNORED = ("epochs", "steps_per_epoch")
"""Beside a total."""


def refuses(section: str, path: str, arguments: Mapping[str, Any], **rest: Any) -> bool:
    model = {"class_path": "a.B", section: {"class_path": path, "init_args": arguments}, **rest}
    return bool(Inspector().inspect(model, OWN_MODEL))


def optimizer_fails(path: str, arguments: Mapping[str, Any]) -> bool:
    """At once, or in its first step."""
    parameter = nn.Parameter(torch.ones(2))
    try:
        make = build_factory({"class_path": path, "init_args": arguments}, optim.Optimizer, "x")
        optimizer = make([parameter])
        parameter.grad = torch.ones(2)
        optimizer.step()
    except (ConfigError, TypeError, ValueError, RuntimeError, IndexError):
        return True
    return False


def schedule_fails(path: str, arguments: Mapping[str, Any]) -> bool:
    """At once, or within a few steps; of those that know their number only at once."""
    warnings.simplefilter("ignore")
    optimizer = optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1)
    base = lr_scheduler.LRScheduler
    try:
        scheduler = build_factory({"class_path": path, "init_args": arguments}, base, "x")(
            optimizer
        )
        for _ in range(0 if path.endswith("OneCycleLR") else 4):
            optimizer.step()
            scheduler.step(*([1.0] if path == PLATEAU else []))
    except (ConfigError, TypeError, ValueError, KeyError, ZeroDivisionError):
        return True
    return False


def is_meant(value: Any) -> bool:
    """Whether what torch goes on with is refused all the same: no number, or a truth for one."""
    return value is True or (isinstance(value, float) and math.isnan(value))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_torch_refuses_of_an_optimizer(name: str) -> None:
    path, taken = f"torch.optim.{name}", inspect.signature(getattr(optim, name)).parameters
    for argument in bounds_of(path).keys() & taken.keys():
        # That there is no list for one number, the annotation says.
        values = [each for each in VALUES if argument == "betas" or not isinstance(each, list)]
        for value in values:
            ours = refuses("optimizer", path, {argument: value})
            theirs = optimizer_fails(path, {argument: value})
            assert ours or not theirs, (argument, value)
            assert theirs or not ours or is_meant(value), (argument, value)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_what_torch_refuses_of_a_scheduler(name: str) -> None:
    is_plateau = name == "ReduceLROnPlateau"
    path = PLATEAU if is_plateau else f"torch.optim.lr_scheduler.{name}"
    sgd = {"class_path": "torch.optim.SGD", "init_args": {"lr": 0.1}}
    for argument in [*bounds_of(path), *(() if is_plateau else ("last_epoch",))]:
        for value in (each for each in VALUES if not isinstance(each, list)):
            arguments = {**SCHEDULERS[name], argument: value}
            ours = refuses("lr_scheduler", path, arguments, optimizer=sgd)
            theirs = schedule_fails(path, arguments)
            assert ours or not theirs, (argument, value)
            is_vain = argument.removeprefix("final_") in (*_BACKWARDS, *_IGNORED, "milestones")
            assert theirs or not ours or is_vain or is_meant(value), (argument, value)


@pytest.mark.parametrize(
    ("optimizer", "scheduler", "arguments", "place"),
    [
        ("SGD", None, {"nesterov": True}, "optimizer.init_args.nesterov"),
        ("Adam", None, {"fused": True, "foreach": True}, "optimizer.init_args.foreach"),
        ("SGD", "OneCycleLR", {"max_lr": 1, "epochs": 2}, "lr_scheduler.init_args.steps_per_epoch"),
        (
            "SGD",
            "OneCycleLR",
            {"max_lr": [1, 2], "total_steps": 3},
            "lr_scheduler.init_args.max_lr",
        ),
        ("Adagrad", "OneCycleLR", CYCLE, "lr_scheduler.init_args.cycle_momentum"),
        ("Adagrad", "OneCycleLR", {**CYCLE, "cycle_momentum": False}, None),
        ("Adam", "OneCycleLR", CYCLE, None),
        ("SGD", None, {"nesterov": True, "momentum": 0.9}, None),
    ],
)
def test_what_goes_together(
    optimizer: str, scheduler: str | None, arguments: dict[str, Any], place: str | None
) -> None:
    of_optimizer = arguments if scheduler is None else {}
    first = {"class_path": f"torch.optim.{optimizer}", "init_args": of_optimizer}
    model: dict[str, Any] = {"class_path": "a.B", "optimizer": first}
    make = build_factory(first, optim.Optimizer, "x")
    fails = False
    try:
        made = make([nn.Parameter(torch.ones(2))])
        if scheduler is not None:
            path = f"torch.optim.lr_scheduler.{scheduler}"
            model["lr_scheduler"] = {"class_path": path, "init_args": arguments}
            build_factory(model["lr_scheduler"], lr_scheduler.LRScheduler, "x")(made)
    except (ConfigError, RuntimeError):
        fails = True
    found = Inspector().inspect(model, OWN_MODEL)
    assert fails is bool(found)
    assert [".".join(map(str, each.keys)) for each in found] == ([] if place is None else [place])
