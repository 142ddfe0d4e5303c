"""`multirun.yaml`, which Hydra writes into the folder of every multirun.

The script stays a Hydra application, and composes its config itself: each point is started with
the overrides that the multirun's job of that point had.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from launch.importing.hydra_overrides import distribution_of, values_of
from launch.importing.imported import RUN_PARAMS, Imported, script_grid
from launch.importing.submitit_words import resources_of_launcher

_OURS = ("hydra.mode", "hydra.run.", "hydra.sweep.", "hydra.launcher.", "hydra/launcher")
"""Of Hydra's own overrides: what pcm sees to itself."""

_TRIALS = ("n_trials", "max_trials", "budget")
"""How many points a sweeper that draws them was asked for: Optuna's, Ax's, Nevergrad's."""

_OTHER_SPACES = ("search_space", "custom_search_space", "ax_config", "parametrization")
"""What sweepers draw from besides `params`: an older Optuna's, Ax's, Nevergrad's."""


def is_hydra(data: Mapping[str, Any]) -> bool:
    """Whether a file is of a multirun."""
    hydra = data.get("hydra")
    return isinstance(hydra, dict) and ("overrides" in hydra or "sweeper" in hydra)


def import_hydra(data: Mapping[str, Any]) -> Imported:
    """The grid of a multirun."""
    hydra = data["hydra"]
    job, given = hydra.get("job") or {}, hydra.get("overrides") or {}
    name = str(job.get("name") or "hydra")
    script, left = _script(name, hydra.get("runtime") or {})
    words: list[Any] = ["python", script]
    if job.get("config_name"):
        words.append(f"--config-name={_literal(str(job['config_name']))}")
    own = [str(each) for each in given.get("hydra") or []]
    words += [_literal(each) for each in own if not each.lstrip("+~").startswith(_OURS)]
    sweeper = hydra.get("sweeper") or {}
    overrides = [str(each) for each in given.get("task") or []]
    overrides += [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    trials = next((sweeper[key] for key in _TRIALS if type(sweeper.get(key)) is int), None)
    sweep = _Sweep(left, drawn=trials is not None)
    words += [sweep.word(each, overrides) for each in overrides]
    words = [word for word in words if word]
    if "mode" in hydra:
        words.append("hydra.mode=RUN")
    words.append("hydra.run.dir={run_dir}/hydra")
    left.append("the launcher, and the folders of hydra.sweep: pcm has its own")
    grid = script_grid(name, words, sweep.params, sweep.axes)
    if resources := resources_of_launcher(hydra.get("launcher") or {}, left):
        grid["resources"] = resources
    left += [
        f"hydra.sweeper.{key}: what it searches is not read; write it as `random:`"
        for key in _OTHER_SPACES
        if sweeper.get(key)
    ]
    if sweep.draws:
        grid["random"] = {"n": trials, "seed": 0, "axes": sweep.draws}
        left.append(
            f"{sweeper.get('_target_', 'the sweeper')}: pcm draws {trials} points at random"
        )
    return Imported("Hydra", {"": grid}, left=left)


class _Sweep:
    """Overrides as the words of a command, gathering what they set and what they vary."""

    def __init__(self, left: list[str], *, drawn: bool) -> None:
        self.params: dict[str, Any] = {}
        self.axes: dict[str, list[Any]] = {}
        self.draws: dict[str, dict[str, Any]] = {}
        self._left = left
        self._drawn = drawn

    def word(self, override: str, others: Iterable[str]) -> str | None:
        """An override with a placeholder for its value; None for what isn't understood."""
        key, equals, text = override.partition("=")
        if key.startswith("~") or not equals:
            return _literal(override)
        values = values_of(text)
        draw = distribution_of(text) if self._drawn else None
        if text.strip().startswith("shuffle([") and not self._drawn:
            self._left.append(f"{override}: shuffled anew whenever a point is started")
        if not values and draw is None:
            self._left.append(f"{override}: a sweep that is none of a list, choice() or range()")
            return None
        param = _param(key, others)
        if draw is not None:
            # A path leads only to what is there, so the param has a value that a draw replaces.
            self.draws[f"{RUN_PARAMS}{param}"] = draw
            self.params[param] = next(iter(draw.values()))[0]
        elif values and len(values) > 1:
            self.axes[param] = values
        elif values:
            self.params[param] = values[0]
        return f"{_literal(key)}={{{param}}}"


def _param(key: str, others: Iterable[str]) -> str:
    """The name of an override's param: `model` and `model.lr` can't both be in one mapping."""
    name = _dotted(key)
    inside = any(_dotted(each.partition("=")[0]).startswith(f"{name}.") for each in others)
    return f"{name}_group" if inside else name


def _dotted(key: str) -> str:
    return re.sub(r"[^\w.]+", "_", key.lstrip("+")).strip("_.")


def _script(name: str, runtime: Mapping[str, Any]) -> tuple[str, list[str]]:
    """The script of a job, which Hydra writes down without its folder, and what to say of it."""
    folder, file = Path(str(runtime.get("cwd") or ".")), f"{name}.py"
    found = [path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}{file}")]
    if "cwd" not in runtime or not found:
        return file, [f"the script's path: it is taken for {file} in the folder of the launch"]
    left = [] if folder.samefile(Path.cwd()) else [f"its folder: launch from {folder}"]
    return str(found[0].relative_to(folder)), left


def _literal(word: str) -> str:
    """A word whose braces are its own."""
    return word.replace("{", "{{").replace("}", "}}")
