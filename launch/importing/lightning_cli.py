"""A config of LightningCLI: one model, its data and a trainer, as the files of a grid."""

from collections.abc import Mapping
from typing import Any

from launch.importing.class_grid import class_files, class_grid, trainer_file
from launch.importing.imported import Imported

_KNOWN = ("model", "data", "trainer", "seed_everything")

_OTHERWISE = {
    "optimizer": "let the module's configure_optimizers make it, see docs/your-own.md",
    "lr_scheduler": "let the module's configure_optimizers make it, see docs/your-own.md",
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
    others = {key: value for key, value in config.items() if key not in _KNOWN and value}
    left += [f"{key}: {_OTHERWISE.get(key, 'it is not understood')}" for key in others]
    seed = config.get("seed_everything")
    if type(seed) is not int:
        left.append(f"seed_everything: {seed}: the seed is 0, unless the grid file says another")
    grid = class_grid("lightning-cli", seed, trainer, has_data="data.yaml" in files)
    return Imported("LightningCLI", {"": grid}, files, left)


def _config(data: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = data.get("fit")
    return inner if isinstance(inner, dict) else data
