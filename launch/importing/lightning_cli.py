"""A config of LightningCLI: one model, its data and a trainer, as the files of a grid."""

from collections.abc import Mapping
from typing import Any

from launch.importing.imported import Imported

_RANKS = {"devices": "tasks_per_node", "num_nodes": "nodes"}

_OURS = ("logger", "plugins", "default_root_dir", "enable_checkpointing")
"""Of the trainer: what pcm has another way for, or sees to itself."""


def is_lightning_cli(data: Mapping[str, Any]) -> bool:
    """Whether a file is LightningCLI's, with or without its subcommand."""
    return "trainer" in _config(data) and "model" in _config(data)


def import_lightning_cli(data: Mapping[str, Any]) -> Imported:
    """A grid of one point, with a file for each of its sections."""
    config = _config(data)
    left: list[str] = []
    files: dict[str, Any] = {"trainer.yaml": _trainer(config["trainer"] or {}, left)}
    for section in ("model", "data"):
        files[f"{section}.yaml"] = _class(section, config.get(section), left)
    known = {"model", "data", "trainer", "seed_everything"}
    left += [f"{key}: it is not understood" for key in config if key not in known]
    seed = config.get("seed_everything")
    asked = config["trainer"] or {}
    counts = {ours: asked[key] for key, ours in _RANKS.items() if type(asked.get(key)) is int}
    resources = {key: value for key, value in counts.items() if value > 0}
    if asked.get("accelerator") in ("gpu", "cuda") and "tasks_per_node" in resources:
        resources["gpus_per_node"] = resources.pop("tasks_per_node")
    grid = {
        "name": "lightning-cli",
        "base": {"model": "model.yaml", "data_train": "data.yaml", "trainer": "trainer.yaml"},
        "seed": seed if type(seed) is int else 0,
        "resources": resources or {"tasks_per_node": 1},
    }
    return Imported("LightningCLI", grid, files, left)


def _config(data: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = data.get("fit")
    return inner if isinstance(inner, dict) else data


def _class(section: str, value: Any, left: list[str]) -> dict[str, Any]:
    if isinstance(value, dict) and "class_path" in value:
        return {"class_path": value["class_path"], "init_args": value.get("init_args") or {}}
    left.append(f"{section}: its class is in the script; write it into {section}.yaml")
    return {"class_path": f"my_package.My{section.title()}", "init_args": value or {}}


def _trainer(trainer: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    kwargs = {}
    callbacks = trainer.get("callbacks") or []
    for key, value in trainer.items():
        if key in _OURS and value not in (None, True, "auto", []):
            left.append(f"trainer.{key}: see docs/config-vocabulary.md and docs/grid-files.md")
        elif key not in (*_OURS, *_RANKS, "accelerator", "callbacks") and value is not None:
            kwargs[key] = value
    accelerator = trainer.get("accelerator") or "auto"
    ranks = {"num_nodes": None, "devices": None, "accelerator": accelerator}
    return {
        "callbacks": callbacks if isinstance(callbacks, list) else [callbacks],
        **ranks,
        "kwargs": kwargs,
    }
