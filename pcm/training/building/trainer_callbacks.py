"""The callbacks of a trainer file, and where those that write checkpoints may do so."""

import copy
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch.callbacks as lightning_callbacks
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, LearningRateMonitor, ProgressBar

from pcm.config.structures.callbacks import known_name
from pcm.config.structures.durations import duration
from pcm.config.structures.lightning_callbacks import LIGHTNING_CALLBACKS
from pcm.config.structures.own import names_own_class
from pcm.console import tell
from pcm.training.building.classes import build_object, check_arguments
from pcm.training.faults import config_error

Config = dict[str, Any]


def build_callbacks(cfgs: Sequence[Config]) -> list[Callback]:
    """The callbacks in the order of the file.

    Raises:
        ConfigError: one cannot be had.
    """
    return [_build(cfg, f"trainer.callbacks.{index}") for index, cfg in enumerate(cfgs)]


def trainer_switches(callbacks: Sequence[Callback]) -> dict[str, bool]:
    """What Lightning must be told before it takes these callbacks."""
    switches = {"enable_checkpointing": any(isinstance(each, Checkpoint) for each in callbacks)}
    if any(isinstance(each, ProgressBar) for each in callbacks):
        switches["enable_progress_bar"] = True
    return switches


def capture_callbacks(trainer: Trainer) -> dict[str, Any]:
    """Every callback's state as Lightning saves it; what they do later changes nothing in it."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set at run time
    states = {callback.state_key: callback.state_dict() for callback in callbacks}
    return copy.deepcopy({key: state for key, state in states.items() if state})


class KeepInside(Callback):
    """Has the checkpoints of Lightning's callbacks written inside the run directory.

    Also those of a module's own `configure_callbacks`, which nobody else sees before.

    Args:
        folder: theirs; not the one of our checkpoints, of which some are removed, and one is
            where training goes on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:  # noqa: ARG002
        """Come before the callbacks' own `setup`, in which they choose their folder."""
        for callback in trainer.checkpoint_callbacks:
            if hasattr(callback, "dirpath"):
                callback.dirpath = os.fspath(self._place(callback.dirpath))

    def _place(self, wanted: str | os.PathLike[str] | None) -> Path:
        if wanted is None:
            return self._folder
        # Lightning has made a relative path absolute by now.
        for base in (self._folder, Path.cwd()):
            path = Path(os.path.realpath(wanted))
            if path.is_relative_to(os.path.realpath(base)):
                return self._folder / path.relative_to(os.path.realpath(base))
        tell(f"warning: a callback's checkpoints go to {self._folder}, not to {wanted}")
        return self._folder


def _build(cfg: Config, key: str) -> Callback:
    if names_own_class(cfg):
        return _build_class(cfg, key)
    arguments = cfg.get("kwargs") or {}
    if cfg["name"] == "lr_monitor":
        return LearningRateMonitor(**arguments)
    if cfg["name"] in LIGHTNING_CALLBACKS:
        return _build_lightning(cfg["name"], arguments, f"{key}.kwargs")
    # Matplotlib and scikit-learn take a second; only those who plot wait for them.
    from pcm.plots import build_callback

    callback: Callback = build_callback(cfg["cfg"])
    return callback


def _build_class(cfg: Config, key: str) -> Callback:
    name = known_name(cfg)
    if name is not None and name in LIGHTNING_CALLBACKS:
        return _build_lightning(name, cfg.get("init_args") or {}, f"{key}.init_args")
    callback: Callback = build_object(cfg, Callback, key)
    return callback


def _build_lightning(name: str, arguments: Config, key: str) -> Callback:
    class_name = LIGHTNING_CALLBACKS[name].class_name
    own = getattr(lightning_callbacks, class_name, None)
    if own is None:
        hint = "pip install -U lightning where training runs"
        raise config_error(key, f"this version of Lightning has no {class_name}", hint)
    converted = _as_lightning_takes(name, arguments)
    check_arguments(own, converted, key)
    try:
        callback: Callback = own(**converted)
    except (ImportError, MisconfigurationException, RuntimeError, TypeError, ValueError) as error:
        raise config_error(key, f"{class_name}: {error}") from error
    return callback


def _as_lightning_takes(name: str, arguments: Mapping[str, Any]) -> Config:
    """The arguments in types that YAML has no words for."""
    converted = dict(arguments)
    if name == "gradient_accumulation_scheduler":
        converted["scheduling"] = {int(key): n for key, n in arguments["scheduling"].items()}
    elif name == "model_checkpoint" and arguments.get("train_time_interval") is not None:
        converted["train_time_interval"] = duration(arguments["train_time_interval"])
    elif name == "stochastic_weight_averaging":
        rates = arguments["swa_lrs"]
        # Lightning takes an integer for a mistake.
        is_list = isinstance(rates, list)
        converted["swa_lrs"] = [*map(float, rates)] if is_list else float(rates)
    return converted
