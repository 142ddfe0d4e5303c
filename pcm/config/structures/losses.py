"""The loss manager: reductions, and schedulers of the losses' coefficients."""

from collections.abc import Mapping
from typing import Any

from pcm.config.shapes import COUNT, Record, Rule, Tagged
from pcm.config.structure import ConfigStructure, Finding, Namespace
from pcm.config.structures.links import REDUCTORS

_SCALES = {"start_coef_scale": float, "end_coef_scale": float, "num_epochs": COUNT}


def _check_exponential(kwargs: Mapping[str, Any]) -> list[Finding]:
    if kwargs["start_coef_scale"] * kwargs["end_coef_scale"] > 0:
        return []
    problem = "an exponential schedule can't pass through zero"
    expected = "two scales of one sign, neither of them 0"
    found = f"{kwargs['start_coef_scale']} to {kwargs['end_coef_scale']}"
    return [Finding(("start_coef_scale",), problem, found, expected)]


LOSS_COEF_SCHEDULERS: dict[str, ConfigStructure] = {
    "linear": _SCALES,
    "exp": Rule(_SCALES, _check_exponential),
}
"""kwargs by name."""


def _check_schedulers(schedulers: list[Any]) -> list[Finding]:
    return [] if schedulers else [Finding((), "no schedulers", "[]", "at least one")]


LOSS_MANAGER: ConfigStructure = {
    "reductions": [
        Tagged(
            {
                "reduce_pattern": str,
                "reductor_name": str,
                "pre_scale": (None, float),
                "post_scale": (None, float),
                "kwargs": Namespace,
            },
            tag="reductor_name",
            content="kwargs",
            choices=dict.fromkeys(REDUCTORS, Record()),
            what="tensor reductor",
        )
    ],
    "loss_coef_schedulers": (
        None,
        [
            {
                "link_name": str,
                "loss_name": str,
                "schedulers_cfg": Rule(
                    [
                        Tagged(
                            {"name": str, "kwargs": Namespace},
                            tag="name",
                            content="kwargs",
                            choices=LOSS_COEF_SCHEDULERS,
                            what="loss coefficient scheduler",
                        )
                    ],
                    _check_schedulers,
                ),
            }
        ],
    ),
}
