"""`kwargs` of a trainer file: every parameter of Lightning's Trainer, and what it may be here.

The one list of what is refused: `pcm validate` and a rank that builds its Trainer both ask it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.inspection import Finding, Findings, Inspector, Shape
from pcm.config.names import did_you_mean
from pcm.config.shapes import COUNT, NOT_NEGATIVE, Number, OneOf
from pcm.config.structure import ConfigStructure
from pcm.config.structures.deepspeed_options import check_deepspeed
from pcm.config.structures.durations import DURATION
from pcm.config.structures.strategies import StrategyShape, check_sharded
from pcm.config.wording import shown

PRECISIONS = (
    *(64, 32, 16, "64", "32", "16", "bf16"),
    *("64-true", "32-true", "16-true", "16-mixed", "bf16-true", "bf16-mixed"),
    *("transformer-engine", "transformer-engine-float16"),
)
"""Values of Lightning's `precision`."""

PROFILERS = ("simple", "advanced", "pytorch")


@dataclass(frozen=True, eq=False)
class _Precision(Shape):
    def _inspect(self, value: Any, inspector: Inspector) -> Findings:  # noqa: ARG002
        if type(value) in (int, str) and value in PRECISIONS:
            return ()
        known = [name for name in PRECISIONS if isinstance(name, str)]
        hint = did_you_mean(str(value), known)
        return [Finding((), "Lightning has no such precision", shown(value), str(self), hint)]

    def __str__(self) -> str:
        return f"one of {', '.join(map(str, PRECISIONS))}"


@dataclass(frozen=True, eq=False)
class _Batches(Shape):
    """A number of batches, or a share of all of them.

    Attributes:
        may_be_none: whether 0 is allowed.
    """

    may_be_none: bool = True

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        findings = inspector.inspect(value, Number(float, low=0))
        if findings:
            return findings
        is_share = 0 <= value <= 1
        if (is_share or value % 1 == 0) and (value > 0 or self.may_be_none):
            return ()
        return [Finding((), "no number of batches, nor a share of them", shown(value), str(self))]

    def __str__(self) -> str:
        return "a whole number of batches, or a share from 0.0 to 1.0"


_BATCHES = _Batches()
_FROM_ZERO = Number(int, low=0)
_FROM_MINUS_ONE = Number(int, low=-1)

TRAINER_KWARGS: Mapping[str, ConfigStructure] = {
    "strategy": StrategyShape(),
    "precision": (None, _Precision()),
    "fast_dev_run": (bool, _FROM_ZERO),
    "max_epochs": (None, _FROM_MINUS_ONE),
    "min_epochs": (None, _FROM_ZERO),
    "max_steps": _FROM_MINUS_ONE,
    "min_steps": (None, _FROM_ZERO),
    "max_time": (None, DURATION),
    "limit_train_batches": (None, _BATCHES),
    "limit_val_batches": (None, _BATCHES),
    "limit_test_batches": (None, _BATCHES),
    "limit_predict_batches": (None, _BATCHES),
    "overfit_batches": _BATCHES,
    "val_check_interval": (None, _Batches(may_be_none=False), DURATION),
    "check_val_every_n_epoch": (None, COUNT),
    "num_sanity_val_steps": (None, _FROM_MINUS_ONE),
    "log_every_n_steps": (None, _FROM_ZERO),
    "enable_checkpointing": (None, bool),
    "enable_progress_bar": (None, bool),
    "enable_model_summary": (None, bool),
    "accumulate_grad_batches": COUNT,
    "gradient_clip_val": (None, NOT_NEGATIVE),
    "gradient_clip_algorithm": (None, OneOf(("norm", "value"), "way of clipping gradients")),
    "deterministic": (None, bool, OneOf(("warn",), "value")),
    "benchmark": (None, bool),
    "inference_mode": bool,
    "use_distributed_sampler": bool,
    "profiler": (None, OneOf(PROFILERS, "profiler")),
    "detect_anomaly": bool,
    "sync_batchnorm": bool,
    "reload_dataloaders_every_n_epochs": _FROM_ZERO,
    "default_root_dir": (None, str),
    "enable_autolog_hparams": bool,
}
"""What each may be."""

SET_ELSEWHERE: Mapping[str, str] = {
    "accelerator": "write it beside kwargs",
    "callbacks": "write them beside kwargs",
    "devices": "write it beside kwargs",
    "num_nodes": "write it beside kwargs",
    "logger": "the tracker is chosen in the grid file",
}
"""Trainer parameters that kwargs can't set, and what to do instead."""

NOT_HERE: Mapping[str, str] = {
    "plugins": "ranks and checkpoint files are pcm's",
    "barebones": "it allows neither logging nor checkpoints",
    "model_registry": "checkpoints are written by pcm, into the run directory",
}
"""Trainer parameters that nothing here can set, and why."""

PARAMETERS = (*TRAINER_KWARGS, *SET_ELSEWHERE, *NOT_HERE)
"""All of them."""


def check_kwargs(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the kwargs, each and together."""
    inspector = Inspector()
    for key, value in kwargs.items():
        if key in SET_ELSEWHERE:
            problem = f"'{key}' can't be among the kwargs"
            yield Finding((key,), problem, shown(value), hint=SET_ELSEWHERE[key])
        elif key in NOT_HERE:
            problem = f"'{key}' is not allowed here: {NOT_HERE[key]}"
            yield Finding((key,), problem, shown(value), expected="nothing")
        elif key in TRAINER_KWARGS:
            for finding in inspector.inspect(value, TRAINER_KWARGS[key]):
                yield finding.under(key)
        else:
            problem = f"Lightning's Trainer takes no '{key}'"
            yield Finding((key,), problem, hint=did_you_mean(key, PARAMETERS))
    yield from _check_interval(kwargs)
    yield from check_sharded(kwargs)
    yield from check_deepspeed(kwargs)


def _check_interval(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    interval = kwargs.get("val_check_interval")
    if kwargs.get("check_val_every_n_epoch", 1) is None:
        if isinstance(interval, float):
            problem = "a share of an epoch, and validations don't go by epochs"
            expected = "a number of batches, or no `check_val_every_n_epoch: null`"
            yield Finding(("val_check_interval",), problem, shown(interval), expected)
        return
    batches = kwargs.get("overfit_batches") or kwargs.get("limit_train_batches")
    is_seen = kwargs.get("limit_val_batches") != 0 and not kwargs.get("fast_dev_run")
    if is_seen and type(interval) is type(batches) is int and 0 < batches < interval:
        problem = f"an epoch ends before it, after {batches}"
        expected = f"at most {batches}, or `check_val_every_n_epoch: null`"
        yield Finding(("val_check_interval",), problem, shown(interval), expected)
