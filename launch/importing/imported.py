"""What a file of another tool comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

RUN_PARAMS = "run.params."


@dataclass(slots=True)
class Imported:
    """Grids, and what they could not take over.

    Attributes:
        grids: content of each grid file, by what is put behind the name of the file that was
            asked for: nothing, where there is one.
        files: content of further files beside it, by name.
        left: a line each for what is not carried over.
    """

    tool: str
    grids: dict[str, dict[str, Any]]
    files: dict[str, Any] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)


def script_grid(
    name: str, command: list[Any], params: Mapping[str, Any], axes: Mapping[str, Iterable[Any]]
) -> dict[str, Any]:
    """A grid of a script.

    Args:
        params, axes: by dotted names; an axis need not be among the params.
    """
    grid = {f"{RUN_PARAMS}{key}": list(values) for key, values in axes.items()}
    firsts = {key: values[0] for key, values in zip(axes, grid.values(), strict=True)}
    run = {"command": command, "params": nested({**params, **firsts})}
    return {"name": sweep_name(name), "run": run, **({"grid": grid} if grid else {})}


def sweep_name(name: str) -> str:
    """A name as a sweep can have it: those of jobs may have slashes, which Slurm puts up with."""
    kept = "".join(
        "-" if letter in "/\\%" or not letter.isprintable() else letter for letter in name
    )
    return kept.strip().lstrip(".-")[:60] or "imported"


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted names as mappings in mappings."""
    result: dict[str, Any] = {}
    for name, value in flat.items():
        *heads, last = name.split(".")
        place = result
        for head in heads:
            inner = place.setdefault(head, {})
            if not isinstance(inner, dict):
                inner = place[head] = {}
            place = inner
        place[last] = value
    return result


def flat(data: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Mappings in mappings as dotted names."""
    result: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict) and value:
            result |= flat(value, f"{prefix}{key}.")
        else:
            result[f"{prefix}{key}"] = value
    return result
