"""A SEML experiment file: a Sacred script with fixed, gridded and random parameters.

Each of its sub-configurations becomes a grid of its own, with what stands above it.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from launch.importing.imported import RUN_PARAMS, Imported, script_grid
from launch.importing.interpolations import interpolations_in
from launch.importing.sacred_words import as_sacred, as_sacred_each, sacred_words
from launch.importing.seml_draws import draw_as_seml
from launch.importing.seml_jobs import resources_of_slurm
from launch.importing.seml_parameters import Parameters, distribution_of, read_parameters

_OURS = ("seml", "slurm", "fixed", "grid", "random")

_OTHERWISE = {
    "project_root_dir": "launch from there, since the executable's path starts there",
    "output_dir": "what the script says is in the run directory",
    "conda_environment": "activate it before, or set PCM_PYTHON",
    "description": "a sweep has a name and tags: [...]",
    "stash_all_py_files": "see `--code snapshot` in docs/command-line.md",
    "reschedule_timeout": "what is preempted or out of time goes back to the queue by itself",
    "version": "SEML is not run any more",
}


def is_seml(data: Mapping[str, Any]) -> bool:
    """Whether a file is SEML's."""
    return isinstance(data.get("seml"), dict) and "executable" in data["seml"]


def import_seml(data: Mapping[str, Any]) -> Imported:
    """The grids of an experiment file."""
    seml: dict[str, Any] = data["seml"]
    left: list[str] = []
    resources = resources_of_slurm(data.get("slurm") or {}, left)
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
    groups = [*found.zipped.values()]
    drawn = _drawn(found, left)
    groups += [drawn] if drawn else []
    random = {} if drawn else _distributions(found.random, left)
    # A path leads only to what is there, so each has a value that its axis replaces.
    params = {key: as_sacred(value) for key, value in found.fixed.items()}
    params |= dict.fromkeys([*(path for group in groups for path in group), *random])
    axes = {key: as_sacred_each(values) for key, values in found.grid.items()}
    words = sacred_words([*params, *axes], found.fixed)
    script = str(seml["executable"]).replace("{", "{{").replace("}", "}}")
    words = ["python", script, *(["with", *words] if words else [])]
    grid = script_grid(name, words, params, axes)
    if groups:
        grid["zip"] = [
            {f"{RUN_PARAMS}{key}": as_sacred_each(values) for key, values in group.items()}
            for group in groups
        ]
    if random:
        left.append("random: the same distributions, but pcm's own draws")
        axes_drawn = {f"{RUN_PARAMS}{key}": spec for key, spec in random.items()}
        grid["random"] = {"n": found.samples, "seed": found.seed or 0, "axes": axes_drawn}
    return grid


def _drawn(found: Parameters, left: list[str]) -> dict[str, list[Any]]:
    """What SEML itself draws, where it starts from seeds; nothing where it doesn't."""
    if found.random and found.samples is None:
        raise KeyError("random.samples")
    seeds = {key: spec.get("seed", found.seed) for key, spec in found.random.items()}
    if None in seeds.values():
        return {}
    values = {}
    for key, spec in found.random.items():
        drawn = draw_as_seml(spec, seeds[key], found.samples or 0)
        if drawn is None and spec.get("type") == "choice":
            stream = Random(f"{seeds[key]}/{key}")
            drawn = [stream.choice(spec["options"]) for _ in range(found.samples or 0)]
            left.append(f"random.{key}: SEML draws choices without a seed, anew each time")
        if drawn is None:
            left.append(_not_drawn(key, spec))
        else:
            values[key] = drawn
    return values


def _distributions(random: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    found = {}
    for key, spec in random.items():
        distribution = distribution_of(spec)
        if distribution is None:
            left.append(_not_drawn(key, spec))
        else:
            found[key] = {kind: as_sacred_each(at) for kind, at in distribution.items()}
    return found


def _not_drawn(key: str, spec: Mapping[str, Any]) -> str:
    return f"random.{key}: a parameter of type {spec.get('type')!r}"
