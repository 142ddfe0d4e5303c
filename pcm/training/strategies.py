"""Lightning's strategy for a trainer file's: how several ranks train one model."""

from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import LightningModule
from lightning.pytorch.strategies import DDPStrategy, Strategy
from lightning.pytorch.utilities.model_helpers import is_overridden

from pcm.config.structures.strategies import is_sharded
from pcm.training.faults import config_error
from pcm.training.ranks import Ranks

Config = dict[str, Any]


def needs_group(config: Config) -> bool:
    """Whether even one rank needs a process group."""
    return is_sharded((config.get("trainer") or {}).get("kwargs", {}).get("strategy"))


def choose_strategy(
    wanted: str | Config,
    model: LightningModule,
    ranks: Ranks,
    *,
    places: list[torch.device] | None,
    group: dist.ProcessGroup | None,
) -> Strategy | str:
    """How all ranks train one model, for the Trainer.

    Args:
        wanted: the trainer file's, which is known to be one that is supported.
        places: the GPUs of the node's ranks; None where Lightning may choose them.
        group: all ranks on CPUs; None for one.

    Raises:
        ConfigError: it can't be with this model, or this number of ranks.
    """
    if is_sharded(wanted):
        _check_shards(wanted, model, ranks)
        # torch's distributed checkpoints take a while to import; only those who shard wait.
        from pcm.training.sharded_strategy import ShardedStrategy

        return ShardedStrategy(group, ranks.world_size, places)
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
