"""A trainer file: callbacks, devices, and Lightning's Trainer kwargs."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.names import did_you_mean
from pcm.config.shapes import COUNT, Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.structures.callbacks import CALLBACK
from pcm.config.structures.checkpoints import CHECKPOINTS
from pcm.config.wording import shown

TRAINER_KWARGS = (
    "accelerator",
    "strategy",
    "devices",
    "num_nodes",
    "precision",
    "logger",
    "callbacks",
    "fast_dev_run",
    "max_epochs",
    "min_epochs",
    "max_steps",
    "min_steps",
    "max_time",
    "limit_train_batches",
    "limit_val_batches",
    "limit_test_batches",
    "limit_predict_batches",
    "overfit_batches",
    "val_check_interval",
    "check_val_every_n_epoch",
    "num_sanity_val_steps",
    "log_every_n_steps",
    "enable_checkpointing",
    "enable_progress_bar",
    "enable_model_summary",
    "accumulate_grad_batches",
    "gradient_clip_val",
    "gradient_clip_algorithm",
    "deterministic",
    "benchmark",
    "inference_mode",
    "use_distributed_sampler",
    "profiler",
    "detect_anomaly",
    "barebones",
    "plugins",
    "sync_batchnorm",
    "reload_dataloaders_every_n_epochs",
    "default_root_dir",
    "enable_autolog_hparams",
    "model_registry",
)
"""Parameters of Lightning's Trainer."""

SET_ELSEWHERE = {
    "accelerator": "write it beside kwargs",
    "callbacks": "write them beside kwargs",
    "devices": "write it beside kwargs",
    "num_nodes": "write it beside kwargs",
    "logger": "the tracker is chosen in the grid file",
}
"""Trainer parameters that kwargs can't set, and what to do instead."""

PRECISIONS = (
    *(64, 32, 16, "64", "32", "16", "bf16"),
    *("64-true", "32-true", "16-true", "16-mixed", "bf16-true", "bf16-mixed"),
    *("transformer-engine", "transformer-engine-float16"),
)
"""Values of Lightning's `precision`."""


def _check_kwargs(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    for key, value in kwargs.items():
        if key in SET_ELSEWHERE:
            problem = f"'{key}' can't be among the kwargs"
            yield Finding((key,), problem, shown(value), hint=SET_ELSEWHERE[key])
        elif key not in TRAINER_KWARGS:
            problem = f"Lightning's Trainer takes no '{key}'"
            yield Finding((key,), problem, hint=did_you_mean(key, TRAINER_KWARGS))
        elif key == "precision" and value not in (None, *PRECISIONS):
            known = [name for name in PRECISIONS if isinstance(name, str)]
            hint = did_you_mean(str(value), known)
            yield Finding((key,), "Lightning has no such precision", shown(value), hint=hint)


TRAINER: ConfigStructure = Record(
    {
        "callbacks": [CALLBACK],
        "num_nodes": (None, COUNT),
        "devices": (None, int | str, [int]),
        "accelerator": (None, str),
        "kwargs": Rule(dict, _check_kwargs),
    },
    {"checkpoints": (None, CHECKPOINTS)},
)
