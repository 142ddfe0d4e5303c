"""From a frozen config to the model, the data and the Trainer."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric.plugins import CheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer

from pcm.chain import Chain
from pcm.config.shapes import Rule
from pcm.config.structure import find_faults
from pcm.config.structures.own import names_own_class
from pcm.config.structures.trainer_kwargs import check_kwargs
from pcm.console import tell
from pcm.data import ConditionalMNIST
from pcm.errors import ConfigError
from pcm.rank.ranks import Ranks
from pcm.run_dir import RunDir
from pcm.training.building.classes import build_object
from pcm.training.building.devices import bound_places, is_bound_to_gpu, trainer_devices
from pcm.training.building.environment import RankEnvironment
from pcm.training.building.given_optimizer import give_optimizer
from pcm.training.building.profiling import build_profiler
from pcm.training.building.strategy_choice import choose_strategy
from pcm.training.building.trainer_callbacks import KeepInside, build_callbacks, trainer_switches
from pcm.training.faults import config_error
from pcm.training.training_logger import TrainingLogger

Config = dict[str, Any]

_DEFAULTS: Config = {
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "num_sanity_val_steps": 0,
}

_OURS = {
    "logger": "metrics go to the run directory and from there to the tracker",
    "enable_checkpointing": "checkpoints are written by pcm",
    "default_root_dir": "everything is in the run directory",
}
"""Trainer kwargs that are left out with a warning: harmless, and without effect here."""


def build_model(model_cfg: Config) -> LightningModule:
    """A `Chain`, or a LightningModule of the user's own.

    Raises:
        ConfigError: the user's class cannot be had.
    """
    if names_own_class(model_cfg):
        own: LightningModule = build_object(model_cfg, LightningModule, "model")
        give_optimizer(own, model_cfg)
        return own
    return Chain(model_cfg)


def build_data(config: Config) -> LightningDataModule | None:
    """The conditional MNIST, or a LightningDataModule of the user's own; None: the model has it.

    Raises:
        ConfigError: the user's class cannot be had, or a batch size is missing.
    """
    data_cfg = config.get("data_train")
    if data_cfg is None:
        return None
    if names_own_class(data_cfg):
        own: LightningDataModule = build_object(data_cfg, LightningDataModule, "data_train")
        return own
    training = config["model"].get("training") or {}
    if "batch_size" not in training:
        raise config_error(
            "model.training.batch_size",
            "the data needs it, and a model class of one's own has no place for it",
            "a data class of your own too, which knows its batch size",
        )
    return ConditionalMNIST(
        config["data_train"],
        config["data_val"],
        batch_size=training["batch_size"],
        seed=config["seed"],
        subsample_size=config.get("subsample_size"),
    )


def build_trainer(
    config: Config,
    ranks: Ranks,
    device: torch.device,
    model: LightningModule,
    *,
    callbacks: Sequence[Callback],
    files: CheckpointIO,
    logger: TrainingLogger,
    group: dist.ProcessGroup | None = None,
) -> Trainer:
    """The Trainer of the trainer file, in our hands as far as ranks and files go.

    Args:
        callbacks: come before the trainer file's.
        group: all ranks on CPUs; None for one.

    Raises:
        ConfigError: the trainer file asks for something that cannot be.
    """
    cfg = config.get("trainer") or {}
    kwargs = _trainer_kwargs(cfg.get("kwargs") or {}, config["model"])
    on_gpu = device.type == "cuda"
    is_bound = on_gpu and is_bound_to_gpu(ranks, os.environ)
    kwargs["profiler"] = build_profiler(kwargs.get("profiler"), logger.attempt.profile)
    wanted, places = kwargs.get("strategy", "auto"), None
    if is_bound:
        places = bound_places(device, ranks)
    kwargs["strategy"] = choose_strategy(
        wanted, model, ranks, places=places, group=group, on_gpu=on_gpu
    )
    kwargs.setdefault("deterministic", "warn" if on_gpu else None)
    if on_gpu:
        # Filling fresh memory finds mistakes, changes no result, and costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    chosen = build_callbacks(cfg.get("callbacks") or [])
    place = KeepInside(RunDir(Path(logger.root_dir)).model_checkpoints)
    try:
        return Trainer(
            **kwargs | trainer_switches(chosen),
            accelerator=device.type,
            devices=trainer_devices(cfg, ranks, device, is_bound=is_bound),
            num_nodes=ranks.nodes,
            plugins=[RankEnvironment(ranks), files],
            callbacks=[*callbacks, place, *chosen],
            logger=logger,
            default_root_dir=logger.root_dir,
        )
    except (ImportError, MisconfigurationException, RuntimeError, TypeError, ValueError) as error:
        raise config_error("trainer", str(error)) from error


def _trainer_kwargs(given: Config, model_cfg: Config) -> Config:
    """The user's kwargs over our defaults, with the model file's own wishes."""
    for name in sorted(_OURS.keys() & given.keys()):
        tell(f"warning: trainer.kwargs.{name} has no effect: {_OURS[name]}")
    kept = {name: value for name, value in given.items() if name not in _OURS}
    place: Any = {"file": "config.yaml", "key": ("trainer", "kwargs")}
    if faults := find_faults(kept, Rule(dict, check_kwargs), **place):
        raise ConfigError(faults)
    batches = kept.pop("fast_dev_run", False)
    whole = _DEFAULTS | kept | _training_kwargs(model_cfg, kept)
    return whole | _short_run(int(batches)) if batches else whole


def _short_run(batches: int) -> Config:
    """What Lightning's `fast_dev_run` does, with checkpoints and metrics all the same."""
    limits = (f"limit_{loop}_batches" for loop in ("train", "val", "test", "predict"))
    return dict.fromkeys(limits, batches) | {
        "max_epochs": 1,
        "max_steps": batches,
        "num_sanity_val_steps": 0,
        "val_check_interval": 1.0,
        "check_val_every_n_epoch": 1,
    }


def _training_kwargs(model_cfg: Config, given: Config) -> Config:
    """What a model file says about the length of training and the validation."""
    training = model_cfg.get("training") or {}
    named = {
        name: training[name]
        for name in ("max_epochs", "check_val_every_n_epoch")
        if training.get(name) is not None
    }
    for name in sorted(named.keys() & given.keys()):
        if named[name] != given[name]:
            raise config_error(
                f"trainer.kwargs.{name}",
                f"is {given[name]}, and model.training.{name} is {named[name]}",
                "say it in the model file alone",
            )
    return named
