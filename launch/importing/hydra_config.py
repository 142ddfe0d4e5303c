"""A config that a Hydra application composed, as it is kept in `.hydra/config.yaml` of each run.

Where it names the classes of a model, its data and a trainer by `_target_`, as in applications
that follow lightning-hydra-template, pcm makes those itself, and the script is not needed.
"""

from collections.abc import Mapping
from typing import Any

from launch.importing.class_grid import class_files, class_grid, trainer_file
from launch.importing.imported import Imported
from launch.importing.interpolations import interpolations_in, resolved

TARGET, PARTIAL = "_target_", "_partial_"
_DATA = ("data", "datamodule")
_HERE = ("model", *_DATA, "trainer", "callbacks", "seed", "task_name", "tags", "test")
"""Sections that are carried over."""

_OTHERWISE = {
    "logger": "metrics are kept anyway; for trackers see docs/trackers.md",
    "ckpt_path": "write it as `starts_from: {checkpoint: ...}`",
}


def is_hydra_config(data: Mapping[str, Any]) -> bool:
    """Whether a file names a model's class in Hydra's way."""
    return any(isinstance(data.get(key), dict) and TARGET in data[key] for key in ("model", *_DATA))


def import_hydra_config(data: Mapping[str, Any], hydra: Mapping[str, Any]) -> Imported:
    """A grid of one point, with a file for each of its sections.

    Args:
        hydra: the section `hydra` of the file beside it, as far as there is one.
    """
    left: list[str] = []
    data = resolved(data, data, hydra)
    trainer = {key: value for key, value in (data.get("trainer") or {}).items() if key != TARGET}
    trainer["callbacks"] = [*_callbacks(data.get("callbacks") or {}, left)]
    files: dict[str, Any] = {"trainer.yaml": trainer_file(_translated(trainer, left), left)}
    if data.get("test") is True:
        files["trainer.yaml"]["after_fit"] = "test"
    section = next((key for key in _DATA if data.get(key)), _DATA[0])
    model, own_data = (_translated(data.get(name), left) for name in ("model", section))
    files |= class_files(model, own_data, left)
    for file, content in files.items():
        left += [
            f"{file}: {at}: {text}: write what it stands for"
            for at, text in interpolations_in(content).items()
        ]
    told = {key: _OTHERWISE.get(key, "the script's own") for key in data if key not in _HERE}
    left += [f"{key}: {why}" for key, why in told.items() if data[key] not in (None, {}, [])]
    job = hydra.get("job") or {}
    name = str(data.get("task_name") or job.get("name") or "hydra")
    grid = class_grid(name, data.get("seed"), trainer, has_data="data.yaml" in files)
    if data.get("tags"):
        grid["tags"] = [str(tag) for tag in data["tags"]]
    return Imported("Hydra", {"": grid}, files, left)


def _callbacks(callbacks: Mapping[str, Any], left: list[str]) -> list[Any]:
    found = []
    for name, callback in callbacks.items():
        if isinstance(callback, dict) and TARGET in callback:
            ours = "dirpath" if str(callback[TARGET]).endswith("ModelCheckpoint") else None
            found.append({key: value for key, value in callback.items() if key != ours})
            if ours in callback:
                left.append(f"callbacks.{name}.dirpath: its files are in the run directory")
        elif callback:
            left.append(f"callbacks.{name}: it names no class")
    return found


def _translated(value: Any, left: list[str]) -> Any:
    """`_target_` and its arguments as `class_path` and `init_args`, however deep."""
    if isinstance(value, list):
        return [_translated(each, left) for each in value]
    if not isinstance(value, dict):
        return value
    arguments = {
        key: _translated(each, left)
        for key, each in value.items()
        if TARGET not in value or not (isinstance(key, str) and key[:1] == key[-1:] == "_")
    }
    if TARGET not in value:
        return arguments
    lost = [key for key in ("_args_", "_convert_", "_recursive_") if key in value]
    left += [f"{key} of {value[TARGET]}: arguments are built by name, all of them" for key in lost]
    made = {"class_path": value[TARGET]}
    made |= {"init_args": arguments} if arguments else {}
    return made | ({"partial": True} if value.get(PARTIAL) is True else {})
