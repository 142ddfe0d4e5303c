"""A model, its data and a trainer as the files of a grid of one point."""

import re
from collections.abc import Mapping
from typing import Any

from launch.importing.imported import sweep_name

_RANKS = {"devices": "tasks_per_node", "num_nodes": "nodes"}

_OURS = {
    "logger": "metrics are kept anyway; for trackers see docs/trackers.md",
    "plugins": "see docs/config-vocabulary.md",
    "default_root_dir": "every experiment has a run directory",
    "enable_checkpointing": "see `checkpoints:` in docs/grid-files.md",
    "barebones": "metrics and checkpoints are kept",
}
"""Of the trainer: what pcm has another way for, or sees to itself."""

_LIGHTNING = "lightning.pytorch."


def class_grid(
    name: str, seed: Any, trainer: Mapping[str, Any], *, has_data: bool
) -> dict[str, Any]:
    """The grid file; its base is `model.yaml`, `data.yaml` and `trainer.yaml` beside it."""
    counts = {ours: trainer[key] for key, ours in _RANKS.items() if type(trainer.get(key)) is int}
    resources = {key: value for key, value in counts.items() if value > 0}
    if trainer.get("accelerator") in ("gpu", "cuda") and "tasks_per_node" in resources:
        resources["gpus_per_node"] = resources.pop("tasks_per_node")
    return {
        "name": sweep_name(name),
        "base": {
            "model": "model.yaml",
            "data_train": "data.yaml" if has_data else None,
            "trainer": "trainer.yaml",
        },
        "seed": seed if type(seed) is int else 0,
        "resources": resources or {"tasks_per_node": 1},
    }


def trainer_file(trainer: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """The trainer file; `left` hears of what is not carried over."""
    kwargs = {}
    callbacks = trainer.get("callbacks") or []
    for key, value in trainer.items():
        if key in _OURS and value not in (None, True, False, "auto", []):
            left.append(f"trainer.{key}: {_OURS[key]}")
        elif key not in (*_OURS, *_RANKS, "accelerator", "callbacks") and value is not None:
            kwargs[key] = value
    if isinstance(strategy := kwargs.get("strategy"), str):
        kwargs["strategy"] = _strategy(strategy)
    ranks = {"num_nodes": None, "devices": None}
    return {
        "callbacks": [
            _full(each) for each in (callbacks if isinstance(callbacks, list) else [callbacks])
        ],
        **ranks,
        "accelerator": trainer.get("accelerator") or "auto",
        "kwargs": kwargs,
    }


def _strategy(name: str) -> str | dict[str, Any]:
    """A strategy by its class, if need be; ranks are started by pcm, whatever would start them."""
    if name.endswith("Strategy"):
        return {"class_path": name if "." in name else f"{_LIGHTNING}strategies.{name}"}
    return re.sub("_(spawn|fork|notebook)", "", name)


def _full(callback: Any) -> Any:
    """A callback with its whole class path: LightningCLI takes Lightning's by name alone."""
    if isinstance(callback, str):
        callback = {"class_path": callback}
    if isinstance(callback, dict) and "." not in str(callback.get("class_path", ".")):
        return {**callback, "class_path": f"{_LIGHTNING}callbacks.{callback['class_path']}"}
    return callback


def class_files(model: Any, data: Any, left: list[str]) -> dict[str, Any]:
    """The model file, and the data file where there is data: a class and its arguments each."""
    files = {"model.yaml": _class_file("model", model, left)}
    if data is None:
        left.append("data: none is named, so that the model has to have loaders of its own")
        return files
    return files | {"data.yaml": _class_file("data", data, left)}


def _class_file(section: str, value: Any, left: list[str]) -> dict[str, Any]:
    if isinstance(value, dict) and "class_path" in value:
        return {"class_path": value["class_path"], "init_args": value.get("init_args") or {}}
    left.append(f"{section}: its class is in the script; write it into {section}.yaml")
    return {"class_path": f"my_package.My{section.title()}", "init_args": value or {}}
