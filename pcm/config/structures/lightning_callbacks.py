"""Lightning's callbacks that have a name here, and what their constructors take."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.keys import index_in
from pcm.config.shapes import COUNT, FRACTION, NOT_NEGATIVE, POSITIVE, Number, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.structures.durations import DURATION
from pcm.config.wording import shown

_MODE = OneOf(("min", "max"), "mode")
_FROM_ZERO = Number(int, low=0)
_DEVICE_NAME = re.compile(r"(cpu|cuda|mps)(:\d+)?")


def _check_device(name: str) -> Iterator[Finding]:
    if not _DEVICE_NAME.fullmatch(name):
        yield Finding((), "no device of torch's", shown(name), "e.g. cpu, or cuda:0")


_DEVICE = (None, Rule(str, _check_device))
_AVERAGED: dict[str, ConfigStructure] = {"device": _DEVICE, "use_buffers": bool}


@dataclass(frozen=True, slots=True)
class LightningCallback:
    """One of Lightning's callbacks.

    Attributes:
        class_name: in `lightning.pytorch.callbacks`.
        kwargs: structure of its constructor's arguments, as far as they are plain data.
        only_watches: whether training is the same with it and without it.
        steps_optimizers: whether it relies on Lightning stepping the optimizers, as it does
            for no chain.
        finds: whether it looks for a value before training.
        one_rank: whether it can't be had with several.
    """

    class_name: str
    kwargs: ConfigStructure
    only_watches: bool = False
    steps_optimizers: bool = False
    finds: bool = False
    one_rank: bool = False


def _check_scheduling(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    scheduling = kwargs["scheduling"]
    if not scheduling:
        yield Finding(("scheduling",), "empty", "{}", 'e.g. {"0": 4, "10": 1}')
    for epoch, batches in scheduling.items():
        place = ("scheduling", epoch)
        if not epoch.isascii() or index_in(epoch) is None:
            yield Finding(place, "not an epoch", shown(epoch), "a number from 0, in quotes")
        if type(batches) is not int or batches < 1:
            yield Finding(place, "not a number of batches", shown(batches), str(COUNT))


def _check_swa(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    start = kwargs.get("swa_epoch_start", 1)
    if not (0 <= start <= 1 if isinstance(start, float) else start >= 1):
        expected = "an epoch from 1, or a share of the epochs from 0.0 to 1.0"
        yield Finding(("swa_epoch_start",), "out of range", shown(start), expected)
    if kwargs["swa_lrs"] == []:
        yield Finding(("swa_lrs",), "no learning rate", "[]", "one for each parameter group")


_TRIGGERS = ("every_n_train_steps", "train_time_interval", "every_n_epochs")


def _check_model_checkpoint(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    given = [name for name in _TRIGGERS if kwargs.get(name)]
    if len(given) > 1:
        problem = f"{' and '.join(given)} exclude each other"
        yield Finding((given[1],), problem, shown(kwargs[given[1]]), "one of them")
    top = kwargs.get("save_top_k", 1)
    if kwargs.get("monitor") is None and top not in (-1, 0, 1):
        expected = "`monitor: METRIC` beside it, or -1, 0 or 1"
        yield Finding(("save_top_k",), "the best of no metric", shown(top), expected)


def _check_rates(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    least, greatest = kwargs.get("min_lr", 1e-8), kwargs.get("max_lr", 1)
    if least >= greatest:
        yield Finding(("min_lr",), "not below max_lr", shown(least), f"less than {greatest}")
    if kwargs.get("update_attr") is False:
        expected = "true, or no learning_rate_finder"
        yield Finding(("update_attr",), "a rate that nobody would be given", "false", expected)


LIGHTNING_CALLBACKS: Mapping[str, LightningCallback] = {
    "early_stopping": LightningCallback(
        "EarlyStopping",
        Record(
            {"monitor": str},
            {
                "min_delta": float,
                "patience": _FROM_ZERO,
                "verbose": bool,
                "mode": _MODE,
                "strict": bool,
                "check_finite": bool,
                "stopping_threshold": (None, float),
                "divergence_threshold": (None, float),
                "check_on_train_epoch_end": (None, bool),
                "log_rank_zero_only": bool,
            },
        ),
    ),
    "model_checkpoint": LightningCallback(
        "ModelCheckpoint",
        Rule(
            Record(
                optional={
                    "dirpath": (None, str),
                    "filename": (None, str),
                    "monitor": (None, str),
                    "verbose": bool,
                    "save_last": (None, bool, OneOf(("link",), "value")),
                    "save_top_k": Number(int, low=-1),
                    "save_on_exception": bool,
                    "save_weights_only": bool,
                    "mode": _MODE,
                    "auto_insert_metric_name": bool,
                    "every_n_train_steps": (None, _FROM_ZERO),
                    "train_time_interval": (None, DURATION),
                    "every_n_epochs": (None, _FROM_ZERO),
                    "save_on_train_epoch_end": (None, bool),
                    "enable_version_counter": bool,
                }
            ),
            _check_model_checkpoint,
        ),
        only_watches=True,
    ),
    "weight_averaging": LightningCallback("WeightAveraging", Record(optional=_AVERAGED)),
    "ema_weight_averaging": LightningCallback(
        "EMAWeightAveraging",
        Record(
            optional={
                **_AVERAGED,
                "decay": FRACTION,
                "update_every_n_steps": COUNT,
                "update_starting_at_step": (None, _FROM_ZERO),
                "update_starting_at_epoch": (None, _FROM_ZERO),
            }
        ),
    ),
    "stochastic_weight_averaging": LightningCallback(
        "StochasticWeightAveraging",
        Rule(
            Record(
                {"swa_lrs": (POSITIVE, [POSITIVE])},
                {
                    "swa_epoch_start": NOT_NEGATIVE,
                    "annealing_epochs": _FROM_ZERO,
                    "annealing_strategy": OneOf(("cos", "linear"), "annealing strategy"),
                    "device": _DEVICE,
                },
            ),
            _check_swa,
        ),
    ),
    "gradient_accumulation_scheduler": LightningCallback(
        "GradientAccumulationScheduler",
        Rule(Record({"scheduling": dict}), _check_scheduling),
        steps_optimizers=True,
    ),
    "backbone_finetuning": LightningCallback(
        "BackboneFinetuning",
        Record(
            optional={
                "unfreeze_backbone_at_epoch": _FROM_ZERO,
                "backbone_initial_ratio_lr": NOT_NEGATIVE,
                "backbone_initial_lr": (None, NOT_NEGATIVE),
                "should_align": bool,
                "initial_denom_lr": POSITIVE,
                "train_bn": bool,
                "verbose": bool,
                "rounding": _FROM_ZERO,
            }
        ),
        steps_optimizers=True,
    ),
    "learning_rate_finder": LightningCallback(
        "LearningRateFinder",
        Rule(
            Record(
                optional={
                    "min_lr": POSITIVE,
                    "max_lr": POSITIVE,
                    "num_training_steps": COUNT,
                    "mode": OneOf(("linear", "exponential"), "mode"),
                    "early_stop_threshold": (None, POSITIVE),
                    "update_attr": bool,
                    "attr_name": str,
                }
            ),
            _check_rates,
        ),
        finds=True,
    ),
    "batch_size_finder": LightningCallback(
        "BatchSizeFinder",
        Record(
            optional={
                "mode": OneOf(("power", "binsearch"), "mode"),
                "steps_per_trial": COUNT,
                "init_val": COUNT,
                "max_trials": COUNT,
                "batch_arg_name": str,
                "margin": Number(float, low=0, below=1),
                "max_val": COUNT,
            }
        ),
        finds=True,
        one_rank=True,
    ),
    "timer": LightningCallback(
        "Timer",
        Record(
            optional={
                "duration": (None, DURATION),
                "interval": OneOf(("step", "epoch"), "interval"),
                "verbose": bool,
            }
        ),
    ),
    "device_stats_monitor": LightningCallback(
        "DeviceStatsMonitor", Record(optional={"cpu_stats": (None, bool)}), only_watches=True
    ),
    "model_summary": LightningCallback(
        "ModelSummary", Record(optional={"max_depth": Number(int, low=-1)}), only_watches=True
    ),
    "rich_model_summary": LightningCallback(
        "RichModelSummary", Record(optional={"max_depth": Number(int, low=-1)}), only_watches=True
    ),
    "tqdm_progress_bar": LightningCallback(
        "TQDMProgressBar",
        Record(
            optional={"refresh_rate": _FROM_ZERO, "process_position": _FROM_ZERO, "leave": bool}
        ),
        only_watches=True,
    ),
    "rich_progress_bar": LightningCallback(
        "RichProgressBar",
        Record(optional={"refresh_rate": _FROM_ZERO, "leave": bool}),
        only_watches=True,
    ),
}
"""By the name in a trainer file: the class's own, in small letters."""

NAME_OF_CLASS: Mapping[str, str] = {
    **{callback.class_name: name for name, callback in LIGHTNING_CALLBACKS.items()},
    "LearningRateMonitor": "lr_monitor",
}

STATE_KEYS: Mapping[str, Mapping[str, Any]] = {
    "early_stopping": {"monitor": None, "mode": "min"},
    "model_checkpoint": {
        "monitor": None,
        "mode": "min",
        "every_n_train_steps": None,
        "every_n_epochs": None,
        "train_time_interval": None,
    },
    "weight_averaging": {},
    "ema_weight_averaging": {},
    "stochastic_weight_averaging": {},
    "backbone_finetuning": {},
    "timer": {},
}
"""Of the callbacks with a state, the arguments by which Lightning tells two apart."""
