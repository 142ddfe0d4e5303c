"""Optimizers and their learning rates; kwargs are torch's own."""

from collections.abc import Mapping
from typing import Any

from pcm.config.shapes import (
    COUNT,
    FRACTION,
    NOT_NEGATIVE,
    POSITIVE,
    Number,
    OneOf,
    Record,
    Rule,
    Tagged,
)
from pcm.config.structure import ConfigStructure, Finding, Namespace

_BELOW_ONE = Number(float, low=0, below=1)
_COMMON: dict[str, ConfigStructure] = {
    "lr": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
    "foreach": (None, bool),
    "maximize": bool,
    "differentiable": bool,
}
_FUSED: dict[str, ConfigStructure] = {"fused": (None, bool)}


def _check_betas(kwargs: Mapping[str, Any]) -> list[Finding]:
    betas = kwargs.get("betas", [0, 0])
    return [] if len(betas) == 2 else [Finding(("betas",), "wrong length", str(betas), "2 numbers")]


def _check_nesterov(kwargs: Mapping[str, Any]) -> list[Finding]:
    if not kwargs.get("nesterov") or (
        kwargs.get("momentum", 0) > 0 and not kwargs.get("dampening")
    ):
        return []
    expected = "momentum above 0 and no dampening"
    return [Finding(("nesterov",), "nesterov has nothing to work on", "true", expected)]


OPTIMIZERS: dict[str, ConfigStructure] = {
    "adam": Rule(
        Record(
            optional={
                **_COMMON,
                **_FUSED,
                "betas": [_BELOW_ONE],
                "eps": NOT_NEGATIVE,
                "amsgrad": bool,
                "capturable": bool,
                "decoupled_weight_decay": bool,
            }
        ),
        _check_betas,
    ),
    "sgd": Rule(
        Record(
            optional={
                **_COMMON,
                **_FUSED,
                "momentum": NOT_NEGATIVE,
                "dampening": float,
                "nesterov": bool,
            }
        ),
        _check_nesterov,
    ),
    "adagrad": Record(
        optional={
            **_COMMON,
            **_FUSED,
            "lr_decay": NOT_NEGATIVE,
            "initial_accumulator_value": NOT_NEGATIVE,
            "eps": NOT_NEGATIVE,
        }
    ),
    "rmsprop": Record(
        optional={
            **_COMMON,
            "alpha": NOT_NEGATIVE,
            "eps": NOT_NEGATIVE,
            "centered": bool,
            "capturable": bool,
            "momentum": NOT_NEGATIVE,
        }
    ),
}
"""kwargs by `optimizer_name`."""

LR_SCHEDULERS: dict[str, ConfigStructure] = {
    "step": Record({"step_size": COUNT}, {"gamma": POSITIVE, "total_iters": COUNT}),
    "linear": Record(
        optional={
            "start_factor": Number(float, above=0, high=1),
            "end_factor": FRACTION,
            "total_iters": COUNT,
        }
    ),
    "const": Record(optional={"factor": FRACTION, "total_iters": COUNT}),
}
"""kwargs by name."""

LR_SCHEDULER: ConfigStructure = {
    "schedulers": [
        Tagged(
            {"name": str, "kwargs": Namespace},
            tag="name",
            content="kwargs",
            choices=LR_SCHEDULERS,
            what="LR scheduler",
        )
    ],
    "out_cfg_kwargs": Record(
        optional={
            "interval": OneOf(("epoch", "step"), "interval"),
            "frequency": COUNT,
            "monitor": (None, str),
            "strict": bool,
            "name": (None, str),
            "reduce_on_plateau": bool,
        }
    ),
}
"""`out_cfg_kwargs` are the keys of Lightning's scheduler config."""

OPTIMIZER = Tagged(
    {
        "links": [str],
        "optimizer_name": str,
        "kwargs": Namespace,
        "lr_scheduler": (None, LR_SCHEDULER),
    },
    tag="optimizer_name",
    content="kwargs",
    choices=OPTIMIZERS,
    what="optimizer",
)
