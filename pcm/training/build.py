"""From a frozen config to the model, the data and the Trainer."""

import importlib
import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import LearningRateMonitor
from lightning.pytorch.strategies import DDPStrategy

from pcm.chain import Chain
from pcm.config.structures.own import names_own_class
from pcm.console import tell
from pcm.data import ConditionalMNIST
from pcm.errors import ConfigError, Fault
from pcm.training.checkpoint_io import CheckpointFiles
from pcm.training.environment import RankEnvironment
from pcm.training.gpus import gpus_asked, missing_gpus
from pcm.training.ranks import Ranks
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

_STRATEGIES = (
    "auto",
    "ddp",
    "ddp_find_unused_parameters_false",
    "ddp_find_unused_parameters_true",
)

_ELSEWHERE = {
    "callbacks": "the trainer file's own `callbacks`",
    "plugins": "nothing: ranks and checkpoint files are pcm's",
    "devices": "the trainer file's own `devices`",
    "num_nodes": "the trainer file's own `num_nodes`",
    "accelerator": "the trainer file's own `accelerator`",
    "barebones": "nothing: it allows neither logging nor checkpoints",
    "fast_dev_run": "`limit_train_batches` and `limit_val_batches`",
}
"""Trainer kwargs that are refused, and what to use instead."""


def choose_device(trainer_cfg: Config, ranks: Ranks) -> torch.device:
    """The GPU of this rank if every rank of the node has one, else the CPU.

    Where a scheduler shows each rank a GPU of its own (`--gpus-per-task`, `--gpu-bind=single`),
    that is the first one.

    Raises:
        ConfigError: the trainer file insists on GPUs that are not there.
        RefusedError: the job was to have GPUs, and they are not there.
    """
    wanted = trainer_cfg.get("accelerator") or "auto"
    if wanted == "cpu":
        return torch.device("cpu")
    available = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if available == 1 and _is_bound(ranks, os.environ):
        return torch.device("cuda", 0)
    index = _gpus(trainer_cfg.get("devices"), ranks)[ranks.local_rank]
    if available > index and available >= ranks.local_world_size:
        return torch.device("cuda", index)
    if asked := gpus_asked():
        raise missing_gpus(asked, available)
    if wanted in ("gpu", "cuda"):
        raise config_error(
            "accelerator",
            f"{ranks.local_world_size} ranks on this node need GPUs, and {available} are visible",
            "accelerator: auto, or fewer ranks",
        )
    return torch.device("cpu")


def build_model(model_cfg: Config) -> LightningModule:
    """A `Chain`, or a LightningModule of the user's own.

    Raises:
        ConfigError: the user's class cannot be had.
    """
    if names_own_class(model_cfg):
        own: LightningModule = _build_own(model_cfg, LightningModule, "model")
        return own
    return Chain(model_cfg)


def build_data(config: Config) -> LightningDataModule:
    """The conditional MNIST, or a LightningDataModule of the user's own.

    Raises:
        ConfigError: the user's class cannot be had, or a batch size is missing.
    """
    if names_own_class(config["data_train"]):
        own: LightningDataModule = _build_own(
            config["data_train"], LightningDataModule, "data_train"
        )
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
    files: CheckpointFiles,
    logger: TrainingLogger,
) -> Trainer:
    """The Trainer of the trainer file, in our hands as far as ranks and files go.

    Args:
        callbacks: come before the trainer file's.

    Raises:
        ConfigError: the trainer file asks for something that cannot be.
    """
    cfg = config.get("trainer") or {}
    kwargs = _trainer_kwargs(cfg.get("kwargs") or {}, config["model"])
    on_gpu = device.type == "cuda"
    is_bound = on_gpu and _is_bound(ranks, os.environ)
    strategy = _strategy(kwargs.get("strategy", "auto"), ranks, model)
    kwargs["strategy"] = _bound_strategy(strategy, device, ranks) if is_bound else strategy
    kwargs.setdefault("deterministic", "warn" if on_gpu else None)
    if on_gpu:
        # Filling fresh memory finds mistakes, changes no result, and costs time.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    try:
        return Trainer(
            **kwargs,
            accelerator=device.type,
            devices=_devices(cfg, ranks, device, is_bound=is_bound),
            num_nodes=ranks.nodes,
            plugins=[RankEnvironment(ranks), files],
            callbacks=[*callbacks, *map(_build_callback, cfg.get("callbacks") or [])],
            logger=logger,
            enable_checkpointing=False,
            default_root_dir=logger.root_dir,
        )
    except (MisconfigurationException, TypeError, ValueError) as error:
        raise config_error("trainer", str(error)) from error


def _trainer_kwargs(given: Config, model_cfg: Config) -> Config:
    """The user's kwargs over our defaults, with the model file's own wishes."""
    for name in _ELSEWHERE.keys() & given.keys():
        raise config_error(f"trainer.kwargs.{name}", "not allowed here", f"use {_ELSEWHERE[name]}")
    unknown = given.keys() - inspect.signature(Trainer.__init__).parameters.keys()
    if unknown:
        name = sorted(unknown)[0]
        raise config_error(f"trainer.kwargs.{name}", "Lightning's Trainer has no such argument")
    if isinstance(given.get("val_check_interval"), str | dict):
        raise config_error(
            "trainer.kwargs.val_check_interval",
            "validation by the clock cannot be resumed exactly",
            "a number of batches or a fraction of the epoch",
        )
    for name in sorted(_OURS.keys() & given.keys()):
        tell(f"warning: trainer.kwargs.{name} has no effect: {_OURS[name]}")
    kept = {name: value for name, value in given.items() if name not in _OURS}
    return _DEFAULTS | kept | _training_kwargs(model_cfg, kept)


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


def _strategy(wanted: Any, ranks: Ranks, model: LightningModule) -> str:
    """DDP for several ranks, nothing for one.

    Unused parameters are looked for only where there are any: it costs time at every step.
    """
    if wanted not in _STRATEGIES:
        raise config_error(
            "trainer.kwargs.strategy",
            f"{wanted!r} is not supported: its checkpoints cannot be resumed exactly",
            f"one of {', '.join(_STRATEGIES)}",
        )
    if ranks.world_size == 1:
        return "auto"
    if wanted != "auto":
        return str(wanted)
    needs_search = getattr(model, "unused_parameters", False)
    return "ddp_find_unused_parameters_true" if needs_search else "ddp"


def _is_bound(ranks: Ranks, environment: Mapping[str, str]) -> bool:
    """Whether the job has a GPU for each of this node's ranks, and this one sees its own alone.

    Where the job has fewer, as on a workstation, that single GPU is everybody's.
    """
    visible = environment.get("CUDA_VISIBLE_DEVICES", "").strip()
    sees_one = bool(visible) and "," not in visible
    return sees_one and 1 < ranks.local_world_size <= gpus_asked(environment)


def _bound_strategy(name: str, device: torch.device, ranks: Ranks) -> DDPStrategy:
    """DDP in which each rank of a node knows its GPU by the same number.

    Lightning takes the device at the local rank's place, and counts ranks by the places.
    """
    finds_unused = name == "ddp_find_unused_parameters_true"
    places = [device] * ranks.local_world_size
    return DDPStrategy(parallel_devices=places, find_unused_parameters=finds_unused)


def _devices(cfg: Config, ranks: Ranks, device: torch.device, *, is_bound: bool) -> list[int] | int:
    """The Trainer's `devices`."""
    if device.type != "cuda":
        return ranks.local_world_size
    return [0] if is_bound else _gpus(cfg.get("devices"), ranks)


def _gpus(wanted: Any, ranks: Ranks) -> list[int]:
    """The GPUs of this node's ranks: those that the trainer file lists, else the first ones."""
    if isinstance(wanted, list) and len(wanted) == ranks.local_world_size:
        return wanted
    return list(range(ranks.local_world_size))


def _build_callback(cfg: Config) -> Callback:
    if cfg["name"] == "lr_monitor":
        return LearningRateMonitor(**(cfg.get("kwargs") or {}))
    # Matplotlib and scikit-learn take a second; only those who plot wait for them.
    from pcm.plots import build_callback

    callback: Callback = build_callback(cfg["cfg"])
    return callback


def _build_own(cfg: Config, base: type[Any], key: str) -> Any:
    """An object of the user's own class.

    Raises:
        ConfigError: there is no such module or class, or it is of another kind.
    """
    module_name, _, class_name = cfg["class_path"].rpartition(".")
    path = f"{key}.class_path"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        hint = "install its package where training runs, or set PYTHONPATH"
        raise config_error(path, f"{error}", hint, cfg["class_path"]) from error
    own = getattr(module, class_name, None)
    if own is None:
        hint = f"a class in {module.__file__}"
        raise config_error(path, "there is no such class", hint, cfg["class_path"])
    if not (isinstance(own, type) and issubclass(own, base)):
        raise config_error(path, f"not a {base.__name__}", found=cfg["class_path"])
    arguments = cfg.get("init_args") or {}
    try:
        inspect.signature(own).bind(**arguments)
    except TypeError as error:
        raise config_error(f"{key}.init_args", f"{class_name}: {error}") from error
    return own(**arguments)


def config_error(
    key: str, problem: str, hint: str | None = None, found: str | None = None
) -> ConfigError:
    """One fault of the experiment's config."""
    return ConfigError([Fault(problem, file="config.yaml", key=key, found=found, hint=hint)])
