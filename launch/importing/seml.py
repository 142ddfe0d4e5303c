"""A SEML experiment file: a Sacred script with fixed, gridded and random parameters.

Each of its sub-configurations becomes a grid of its own, with what stands above it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from launch.importing.imported import RUN_PARAMS, Imported, script_grid
from launch.importing.interpolations import interpolations_in
from launch.importing.sacred_words import as_sacred, as_sacred_each, sacred_words
from launch.importing.sbatch_words import resources_of
from launch.importing.seml_parameters import Parameters, read_parameters

_OURS = ("seml", "slurm", "fixed", "grid", "random")

_OTHERWISE = {
    "project_root_dir": "launch from there, since the executable's path starts there",
    "output_dir": "what the script says is in the run directory",
    "conda_environment": "activate it before, or set PCM_PYTHON",
    "description": "pcm has tags: [...]",
}


def is_seml(data: Mapping[str, Any]) -> bool:
    """Whether a file is SEML's."""
    return isinstance(data.get("seml"), dict) and "executable" in data["seml"]


def import_seml(data: Mapping[str, Any]) -> Imported:
    """The grids of an experiment file."""
    seml: dict[str, Any] = data["seml"]
    left: list[str] = []
    resources = _resources(data.get("slurm") or {}, left)
    grids = {}
    for name, parameters in _leaves(data, Parameters(), "", left):
        grid = _grid(seml, name, parameters, left)
        grids[name] = grid | {"resources": resources}
    left += [
        f"{at}: {text}: write what it stands for"
        for at, text in interpolations_in({key: data.get(key) for key in _OURS[2:]}).items()
    ]
    others = {key: seml[key] for key in seml if key not in ("executable", "name")}
    left += [
        f"seml.{key}: {value}: {_OTHERWISE.get(key, 'SEML alone has it')}"
        for key, value in others.items()
    ]
    left.append("Sacred's observers: pcm keeps metrics that the script writes to $PCM_METRICS")
    return Imported("SEML", grids, left=list(dict.fromkeys(left)))


def _leaves(
    section: Mapping[str, Any], above: Parameters, name: str, left: list[str]
) -> Iterator[tuple[str, Parameters]]:
    """Parameters of each sub-configuration without further ones in it; a lower one wins."""
    here = above.under(read_parameters(section, left))
    inner = {
        key: value for key, value in section.items() if key not in _OURS and isinstance(value, dict)
    }
    left += [f"{key}: it is not understood" for key in section if key not in (*_OURS, *inner)]
    for key, value in inner.items():
        yield from _leaves(value, here, f"{name}-{key}".lstrip("-"), left)
    if not inner:
        yield name, here


def _grid(
    seml: Mapping[str, Any], suffix: str, found: Parameters, left: list[str]
) -> dict[str, Any]:
    name = "-".join(filter(None, [str(seml.get("name") or "seml"), suffix]))
    zipped = {path: values for group in found.zipped.values() for path, values in group.items()}
    # A path leads only to what is there, so each has a value that its axis replaces.
    params = {key: as_sacred(value) for key, value in found.fixed.items()}
    params |= dict.fromkeys([*zipped, *found.random])
    axes = {key: as_sacred_each(values) for key, values in found.grid.items()}
    words = sacred_words([*params, *axes], found.fixed)
    words = ["python", seml["executable"], *(["with", *words] if words else [])]
    grid = script_grid(name, words, params, axes)
    groups = [
        {f"{RUN_PARAMS}{key}": as_sacred_each(values) for key, values in group.items()}
        for group in found.zipped.values()
    ]
    grid |= {"zip": groups} if groups else {}
    if found.random:
        left.append("random: the same distributions, but pcm's own draws")
        drawn = {
            f"{RUN_PARAMS}{key}": {kind: as_sacred_each(at) for kind, at in spec.items()}
            for key, spec in found.random.items()
        }
        grid["random"] = {"n": found.samples, "seed": found.seed, "axes": drawn}
    return grid


def _resources(slurm: Any, left: list[str]) -> dict[str, Any]:
    first: Any = slurm[0] if isinstance(slurm, list) and slurm else slurm
    if isinstance(slurm, list) and len(slurm) > 1:
        left.append("slurm: more than one, of which the first is taken")
    if not isinstance(first, dict):
        return {"tasks_per_node": 1}
    options = dict(first.get("sbatch_options") or {})
    found = resources_of(
        {str(key).replace("_", "-"): value for key, value in options.items()}, left
    )
    if type(most := first.get("max_simultaneous_jobs")) is int:
        found["max_parallel"] = most
    for key, value in first.items():
        if key not in ("sbatch_options", "max_simultaneous_jobs") and (key, value) != (
            "experiments_per_job",
            1,
        ):
            left.append(f"slurm.{key}: {value}: SEML alone has it")
    return found
