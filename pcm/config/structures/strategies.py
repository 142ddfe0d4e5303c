"""`strategy` of a trainer file: how several ranks train one model, and which ways are refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pcm.config.inspection import Finding, Findings, Inspector, Shape
from pcm.config.shapes import COUNT, Number, OneOf, Record
from pcm.config.structure import ConfigStructure
from pcm.config.structures.deepspeed_options import (
    DEEPSPEED_CLASSES,
    DEEPSPEED_OPTIONS,
    DEEPSPEED_STAGES,
)
from pcm.config.wording import shown

FSDP2 = "fsdp2"
"""FSDP2 over all ranks, by a word: Lightning has none."""

STRATEGIES = (
    "auto",
    "ddp",
    "ddp_find_unused_parameters_false",
    "ddp_find_unused_parameters_true",
    FSDP2,
    *DEEPSPEED_STAGES,
)

_LIGHTNINGS = "lightning.pytorch.strategies"

DDP_CLASSES = (f"{_LIGHTNINGS}.DDPStrategy", f"{_LIGHTNINGS}.ddp.DDPStrategy")

DDP_OPTIONS: ConfigStructure = Record(
    optional={
        "find_unused_parameters": bool,
        "gradient_as_bucket_view": bool,
        "broadcast_buffers": bool,
        "bucket_cap_mb": COUNT,
    }
)
"""Of DDPStrategy, those that leave a resume exact: `static_graph` learns from the first step."""

SHARDED_CLASSES = (
    f"{_LIGHTNINGS}.ModelParallelStrategy",
    f"{_LIGHTNINGS}.model_parallel.ModelParallelStrategy",
)

SHARDED_OPTIONS: ConfigStructure = Record(
    {"tensor_parallel_size": Number(int, low=1, high=1)},
    {"data_parallel_size": (OneOf(("auto",), "size"), COUNT)},
)
"""Of ModelParallelStrategy. Each rank draws samples and random numbers of its own, which ranks that
share one layer must not; and without a word, Lightning has those of a node share."""

SHARDED_PRECISIONS = ("32-true", "bf16-mixed", "bf16-true", "16-true")
"""Those that Lightning's ModelParallelStrategy takes."""

_SAME_PRECISIONS = {None: "32-true", 32: "32-true", "32": "32-true", "bf16": "bf16-mixed"}
"""Lightning's other spellings of these."""

_REFUSED = {
    "fsdp": "it runs on GPUs alone, and its checkpoints can't be tried without",
    "deepspeed": "what DeepSpeed moves to CPUs or disks is in no checkpoint that was tried",
}
"""Strategies that people ask for, by what their names begin with."""


def is_sharded(strategy: Any) -> bool:
    """Whether weights and checkpoints are in shards."""
    by_class = isinstance(strategy, Mapping) and strategy.get("class_path") in SHARDED_CLASSES
    return strategy == FSDP2 or by_class


@dataclass(frozen=True, eq=False)
class StrategyShape(Shape):
    """The name of a strategy, or a class of Lightning's with its arguments."""

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, str) and value in STRATEGIES:
            return ()
        keys = {"class_path": str}
        if isinstance(value, dict) and value.get("class_path") in DDP_CLASSES:
            return inspector.inspect(value, Record(keys, {"init_args": (None, DDP_OPTIONS)}))
        if isinstance(value, dict) and value.get("class_path") in DEEPSPEED_CLASSES:
            return inspector.inspect(value, Record(keys, {"init_args": (None, DEEPSPEED_OPTIONS)}))
        if isinstance(value, dict) and value.get("class_path") in SHARDED_CLASSES:
            return inspector.inspect(value, Record({**keys, "init_args": SHARDED_OPTIONS}))
        return [_refusal(value, str(self))]

    def __str__(self) -> str:
        return (
            f"one of {', '.join(STRATEGIES)}, or DDPStrategy, ModelParallelStrategy or"
            " DeepSpeedStrategy by its class_path"
        )


def _refusal(value: Any, expected: str) -> Finding:
    name = value.get("class_path", "") if isinstance(value, Mapping) else value
    name = str(name).rpartition(".")[2].lower()
    for beginning, reason in _REFUSED.items():
        if name.startswith(beginning):
            hint = "strategy: fsdp2 shards weights and optimizers as well"
            problem = f"the strategy is not supported: {reason}"
            return Finding((), problem, shown(value), expected, hint)
    problem = "the strategy is not supported: its checkpoints cannot be resumed exactly"
    return Finding((), problem, shown(value), expected)


def check_shards(kwargs: Any, ranks: int) -> Iterator[Finding]:
    """A number of shards that is not the number of ranks."""
    strategy = kwargs.get("strategy") if isinstance(kwargs, Mapping) else None
    options = strategy.get("init_args") if isinstance(strategy, Mapping) else None
    size = options.get("data_parallel_size") if isinstance(options, Mapping) else None
    if is_sharded(strategy) and type(size) is int and size != ranks:
        place = ("strategy", "init_args", "data_parallel_size")
        problem = f"{ranks} ranks can't have {size} shards"
        yield Finding(place, problem, str(size), "auto, which is one each")


def check_sharded(kwargs: Mapping[str, Any]) -> Iterator[Finding]:
    """What doesn't go together with sharded weights."""
    if not is_sharded(kwargs.get("strategy")):
        return
    precision = kwargs.get("precision")
    is_one = precision is None or isinstance(precision, str | int)
    if is_one and _SAME_PRECISIONS.get(precision, precision) not in SHARDED_PRECISIONS:
        problem = "Lightning's strategy for FSDP2 has no such precision"
        expected = f"one of {', '.join(SHARDED_PRECISIONS)}"
        yield Finding(("precision",), problem, shown(precision), expected)
    if kwargs.get("sync_batchnorm"):
        problem = "Lightning's strategy for FSDP2 doesn't synchronise them"
        yield Finding(("sync_batchnorm",), problem, shown(kwargs["sync_batchnorm"]), "false")
