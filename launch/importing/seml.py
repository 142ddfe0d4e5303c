"""A SEML experiment file: fixed, grid and random parameters of a Sacred experiment."""

from collections.abc import Mapping
from typing import Any

from launch.importing.imported import RUN_PARAMS, Imported, flat, script_grid
from launch.importing.sbatch_words import resources_of


def is_seml(data: Mapping[str, Any]) -> bool:
    """Whether a file is SEML's."""
    return isinstance(data.get("seml"), dict) and "executable" in data["seml"]


def import_seml(data: Mapping[str, Any]) -> Imported:
    """The grid of an experiment file."""
    seml: dict[str, Any] = data["seml"]
    left: list[str] = []
    fixed = flat(data.get("fixed") or {})
    axes: dict[str, list[Any]] = {}
    zipped: dict[str, dict[str, list[Any]]] = {}
    for key, spec in _parameters(data.get("grid") or {}).items():
        values = _listed(spec)
        if values is None:
            left.append(f"grid.{key}: a parameter of type {spec.get('type')!r}")
        elif "zip_id" in spec:
            zipped.setdefault(str(spec["zip_id"]), {})[f"{RUN_PARAMS}{key}"] = values
        else:
            axes[key] = values
    random, drawn = _random(data.get("random") or {}, left)
    # A path leads only to what is there, so each has a value that its axis replaces.
    together = {path.removeprefix(RUN_PARAMS): path for group in zipped.values() for path in group}
    params = fixed | dict.fromkeys([*together, *drawn])
    words = [f"{key}={{{key}}}" for key in dict.fromkeys([*params, *axes])]
    command = ["python", seml["executable"], "with", *words]
    grid = script_grid(str(seml.get("name") or "seml"), command, params, axes)
    grid |= {"zip": list(zipped.values())} if zipped else {}
    grid |= {"random": random} if random else {}
    grid |= {"resources": _resources(data, left)}
    known = {"seml", "slurm", "fixed", "grid", "random"}
    left += [f"{key}: it is not understood" for key in data if key not in known]
    kept = {"executable", "name"}
    left += [f"seml.{key}: {seml[key]}" for key in seml if key not in kept]
    left.append("Sacred's observers: pcm keeps metrics that the script writes to $PCM_METRICS")
    return Imported("SEML", grid, left=left)


def _parameters(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters by dotted names: a mapping with a type is one, any other leads further down."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if isinstance(value, dict) and "type" not in value:
            found |= _parameters(value, f"{prefix}{key}.")
        elif isinstance(value, dict):
            found[f"{prefix}{key}"] = value
    return found


def _listed(spec: Mapping[str, Any]) -> list[Any] | None:
    """The values of a parameter of `grid`."""
    kind = spec["type"]
    if kind == "choice":
        return list(spec["options"])
    low, high = spec.get("min"), spec.get("max")
    if kind == "range" and low is not None and high is not None:
        step = spec.get("step", 1)
        count = max(0, -int(-(high - low) // step))
        return [low + index * step for index in range(count)]
    number = int(spec.get("num", 0))
    if number < 2 or low is None or high is None:
        return None
    shares = [index / (number - 1) for index in range(number)]
    if kind == "uniform":
        return [low + share * (high - low) for share in shares]
    if kind == "loguniform":
        return [low * (high / low) ** share for share in shares]
    return None


def _random(section: Mapping[str, Any], left: list[str]) -> tuple[dict[str, Any], list[str]]:
    axes = {}
    for key, spec in _parameters(section).items():
        match spec:
            case {"type": "choice", "options": options}:
                axes[key] = {"choice": options}
            case {"type": "uniform", "min": low, "max": high}:
                axes[key] = {"uniform": [low, high]}
            case {"type": "loguniform", "min": low, "max": high}:
                axes[key] = {"log_uniform": [low, high]}
            case {"type": "randint", "min": low, "max": high}:
                axes[key] = {"int_uniform": [low, high - 1]}
            case _:
                left.append(f"random.{key}: a parameter of type {spec.get('type')!r}")
    if not axes:
        return {}, []
    left.append("random: the same distributions, but pcm's own draws")
    paths = {f"{RUN_PARAMS}{key}": spec for key, spec in axes.items()}
    drawn = {"n": section.get("samples", 1), "seed": section.get("seed", 0), "axes": paths}
    return drawn, list(axes)


def _resources(data: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    slurm = data.get("slurm") or {}
    first: Any = slurm[0] if isinstance(slurm, list) and slurm else slurm
    if isinstance(slurm, list) and len(slurm) > 1:
        left.append("slurm: more than one, of which the first is taken")
    options = dict(first.get("sbatch_options") or {}) if isinstance(first, dict) else {}
    return resources_of({str(key): value for key, value in options.items()}, left)
