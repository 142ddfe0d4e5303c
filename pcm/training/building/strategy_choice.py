"""Lightning's strategy for a trainer file's: how several ranks train one model."""

from importlib.util import find_spec
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import LightningModule
from lightning.pytorch.strategies import DDPStrategy, Strategy
from lightning.pytorch.utilities.model_helpers import is_overridden

from pcm.config.structures.deepspeed_options import deepspeed_stage
from pcm.config.structures.strategies import is_sharded
from pcm.internals.deepspeed import train_on_cpus
from pcm.rank.ranks import Ranks
from pcm.training.faults import config_error

Config = dict[str, Any]


def needs_group(config: Config) -> bool:
    """Whether even one rank needs a process group."""
    strategy = (config.get("trainer") or {}).get("kwargs", {}).get("strategy")
    return is_sharded(strategy) or deepspeed_stage(strategy) is not None


def choose_strategy(
    wanted: str | Config,
    model: LightningModule,
    ranks: Ranks,
    *,
    places: list[torch.device] | None,
    group: dist.ProcessGroup | None,
    on_gpu: bool,
) -> Strategy | str:
    """How all ranks train one model, for the Trainer.

    Args:
        wanted: the trainer file's, which is known to be one that is supported.
        places: the GPUs of the node's ranks; None where Lightning may choose them.
        group: all ranks on CPUs; None for one.
        on_gpu: whether they train on GPUs.

    Raises:
        ConfigError: it can't be with this model, or this number of ranks.
    """
    if is_sharded(wanted):
        _check_shards(wanted, model, ranks)
        # torch's distributed checkpoints take a while to import; only those who shard wait.
        from pcm.training.checkpoints.sharded_strategy import ShardedStrategy

        return ShardedStrategy(group, ranks.world_size, places)
    if (stage := deepspeed_stage(wanted)) is not None:
        options = wanted.get("init_args") or {} if isinstance(wanted, dict) else {}
        return _deepspeed(options | {"stage": stage}, model, ranks, places, group, on_gpu=on_gpu)
    if ranks.world_size == 1:
        return "auto"
    return DDPStrategy(parallel_devices=places, **_ddp_options(wanted, model))


def _check_shards(wanted: str | Config, model: LightningModule, ranks: Ranks) -> None:
    """Raise ConfigError unless this model can be shared out to these ranks."""
    options = wanted["init_args"] if isinstance(wanted, dict) else {}
    size = options.get("data_parallel_size", "auto")
    if size not in ("auto", ranks.world_size):
        raise config_error(
            "trainer.kwargs.strategy.init_args.data_parallel_size",
            f"is {size}, and there are {ranks.world_size} ranks",
            "auto, which takes all of them",
        )
    if not is_overridden("configure_model", model):
        raise config_error(
            "trainer.kwargs.strategy",
            f"{type(model).__name__} has no configure_model() that shards its layers",
            "one that calls torch's fully_shard, as in docs/your-own.md",
        )


def _ddp_options(wanted: str | Config, model: LightningModule) -> Config:
    """What DDP is told.

    Unused parameters are looked for only where there are any: it costs time at every step.
    """
    if isinstance(wanted, dict):
        return dict(wanted.get("init_args") or {})
    is_needed = wanted == "auto" and getattr(model, "unused_parameters", False)
    is_asked = wanted == "ddp_find_unused_parameters_true"
    return {"find_unused_parameters": True} if is_needed or is_asked else {}


def _deepspeed(
    options: Config,
    model: LightningModule,
    ranks: Ranks,
    places: list[torch.device] | None,
    group: dist.ProcessGroup | None,
    *,
    on_gpu: bool,
) -> Strategy:
    if not find_spec("deepspeed"):
        raise config_error(
            "trainer.kwargs.strategy",
            "DeepSpeed is not installed where training runs",
            "pip install 'pcm-launch[deepspeed]' there, or in the image; or strategy: fsdp2",
        )
    if not model.automatic_optimization:
        raise config_error(
            "trainer.kwargs.strategy",
            f"{type(model).__name__} steps its optimizers by hand, and DeepSpeed keeps their"
            " gradients to itself: a stop would lose them",
            "automatic optimization, or strategy: fsdp2",
        )
    if not on_gpu:
        train_on_cpus()
    # It takes a while to import; only those who train with it wait.
    from pcm.training.checkpoints.deepspeed_strategy import OwnDeepSpeedStrategy

    if not on_gpu:
        # DeepSpeed counts devices, of whichever kind.
        places = [torch.device("cpu", index) for index in range(ranks.local_world_size)]
    return OwnDeepSpeedStrategy(group, places, **options)
