"""DeepSpeed among the strategies of a trainer file: its stages, its options, what it can't do."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.inspection import Finding
from pcm.config.shapes import COUNT, Number, Record
from pcm.config.structure import ConfigStructure
from pcm.config.wording import shown

DEEPSPEED_STAGES: Mapping[str, int] = {
    "deepspeed": 2,
    "deepspeed_stage_1": 1,
    "deepspeed_stage_2": 2,
    "deepspeed_stage_3": 3,
}
"""Lightning's names of it, and what each shares out: optimizers, gradients too, weights too."""

DEEPSPEED_CLASSES = (
    "lightning.pytorch.strategies.DeepSpeedStrategy",
    "lightning.pytorch.strategies.deepspeed.DeepSpeedStrategy",
)

_FROM_ZERO = Number(int, low=0)

DEEPSPEED_OPTIONS: ConfigStructure = Record(
    optional={
        "stage": Number(int, low=1, high=3),
        "contiguous_gradients": bool,
        "overlap_comm": bool,
        "allgather_partitions": bool,
        "allgather_bucket_size": COUNT,
        "reduce_scatter": bool,
        "reduce_bucket_size": COUNT,
        "sub_group_size": COUNT,
        "zero_allow_untested_optimizer": bool,
        "loss_scale": Number(float, low=0),
        "initial_scale_power": _FROM_ZERO,
        "loss_scale_window": COUNT,
        "hysteresis": COUNT,
        "min_loss_scale": COUNT,
    }
)
"""Of DeepSpeedStrategy, those whose state is in DeepSpeed's checkpoints."""

_PRECISIONS = ("32-true", "16-true", "16-mixed", "bf16-true", "bf16-mixed")

_SAME_PRECISIONS = {
    None: "32-true",
    32: "32-true",
    "32": "32-true",
    16: "16-mixed",
    "16": "16-mixed",
    "bf16": "bf16-mixed",
}
"""Lightning's other spellings of these."""

_CALLBACKS: Mapping[str, str] = {
    "weight_averaging": "averages whole weights, and DeepSpeed shares them out",
    "ema_weight_averaging": "averages whole weights, and DeepSpeed shares them out",
    "stochastic_weight_averaging": "averages whole weights, and DeepSpeed shares them out",
    "gradient_accumulation_scheduler": "accumulates gradients, which DeepSpeed keeps to itself",
    "learning_rate_finder": "goes back to a checkpoint in one file, and DeepSpeed has none",
    "batch_size_finder": "goes back to a checkpoint in one file, and DeepSpeed has none",
}
"""Those that don't go with it, and why."""


def deepspeed_stage(strategy: Any) -> int | None:
    """What a strategy shares out by DeepSpeed; None if it is another one."""
    if isinstance(strategy, str):
        return DEEPSPEED_STAGES.get(strategy)
    if isinstance(strategy, Mapping) and strategy.get("class_path") in DEEPSPEED_CLASSES:
        options = strategy.get("init_args")
        stage = options.get("stage", 2) if isinstance(options, Mapping) else 2
        return stage if type(stage) is int else 2
    return None


def check_deepspeed(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    """What doesn't go together with DeepSpeed."""
    if deepspeed_stage(kwargs.get("strategy")) is None:
        return
    precision = kwargs.get("precision")
    is_one = precision is None or isinstance(precision, str | int)
    if is_one and _SAME_PRECISIONS.get(precision, precision) not in _PRECISIONS:
        expected = f"one of {', '.join(_PRECISIONS)}"
        yield _finding(kwargs, "precision", "DeepSpeed has no such precision", expected)
    if kwargs.get("sync_batchnorm"):
        problem = "Lightning's strategy for DeepSpeed doesn't synchronise them"
        yield _finding(kwargs, "sync_batchnorm", problem, "false")
    if kwargs.get("accumulate_grad_batches", 1) != 1:
        problem = "DeepSpeed keeps accumulated gradients to itself: a stop would lose them"
        yield _finding(kwargs, "accumulate_grad_batches", problem, "1, and larger batches")
    if kwargs.get("gradient_clip_algorithm") == "value":
        problem = "DeepSpeed clips gradients by their norm alone"
        yield _finding(kwargs, "gradient_clip_algorithm", problem, "norm")


def check_callbacks_of_deepspeed(strategy: Any, names: list[str | None]) -> Iterator[Finding]:
    """Callbacks that don't go together with DeepSpeed."""
    if deepspeed_stage(strategy) is None:
        return
    for index, name in enumerate(names):
        if name is not None and name in _CALLBACKS:
            problem = f"{name} {_CALLBACKS[name]}"
            yield Finding(("callbacks", index), problem, expected="another strategy, or none")


def _finding(kwargs: Mapping[str, Any], name: str, problem: str, expected: str) -> Finding:
    return Finding((name,), problem, shown(kwargs[name]), expected)
