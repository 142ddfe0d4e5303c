"""A config of LightningCLI: one model, its data and a trainer, as the files of a grid."""

from collections.abc import Mapping
from typing import Any

from launch.importing.class_grid import class_files, class_grid, trainer_file
from launch.importing.imported import Imported

_KNOWN = ("model", "data", "trainer", "seed_everything", "optimizer", "lr_scheduler")

_CLASSES_OF_TORCH = {"optimizer": "torch.optim", "lr_scheduler": "torch.optim.lr_scheduler"}

_PLATEAU = "ReduceLROnPlateau"
"""Of which LightningCLI takes its own alone, which has a metric to go by."""

_OTHERWISE = {
    "ckpt_path": "write it as `starts_from: {checkpoint: ...}`",
}


def is_lightning_cli(data: Mapping[str, Any]) -> bool:
    """Whether a file is LightningCLI's, with or without its subcommand."""
    return "trainer" in _config(data) and "model" in _config(data)


def import_lightning_cli(data: Mapping[str, Any]) -> Imported:
    """A grid of one point, with a file for each of its sections."""
    config = _config(data)
    left: list[str] = []
    trainer = config["trainer"] or {}
    files: dict[str, Any] = {"trainer.yaml": trainer_file(trainer, left)}
    files |= class_files(config["model"], config.get("data"), left)
    files["model.yaml"] |= _optimizing(config, left)
    others = {key: value for key, value in config.items() if key not in _KNOWN and value}
    left += [f"{key}: {_OTHERWISE.get(key, 'it is not understood')}" for key in others]
    seed = config.get("seed_everything")
    if type(seed) is not int:
        left.append(f"seed_everything: {seed}: the seed is 0, unless the grid file says another")
    grid = class_grid("lightning-cli", seed, trainer, has_data="data.yaml" in files)
    return Imported("LightningCLI", {"": grid}, files, left)


def _optimizing(config: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """What LightningCLI makes of a module's parameters, beside its class in the model file."""
    found: dict[str, Any] = {}
    for section, module in _CLASSES_OF_TORCH.items():
        value = config.get(section)
        value = {"class_path": value} if isinstance(value, str) else value
        if not value:
            continue
        if "class_path" not in value:
            left.append(f"{section}: its class is in the script; write both into model.yaml")
            continue
        path = value["class_path"]
        if path.rpartition(".")[2] == _PLATEAU:
            path = f"lightning.pytorch.cli.{_PLATEAU}"
        path = path if "." in path else f"{module}.{path}"
        found[section] = {"class_path": path, "init_args": value.get("init_args") or {}}
    if "lr_scheduler" in found and "optimizer" not in found:
        left.append(f"lr_scheduler: {found.pop('lr_scheduler')['class_path']}: of no optimizer")
    return found


def _config(data: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = data.get("fit")
    return inner if isinstance(inner, dict) else data
