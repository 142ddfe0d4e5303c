"""Parameters of a SEML file: what is fixed, what varies, what is drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from launch.importing.imported import flat, nested

_OWN_OF_RANDOM = ("samples", "seed")

REMOVED = "!remove"
"""The value of what a sub-configuration takes out again, as its tag is spelt."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """By dotted names.

    Attributes:
        zipped: axes that advance together, by the id of their group.
        random: distributions, as SEML has them.
        samples, seed: how often is drawn, and from which stream.
        removed: what is taken out of what stands above.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    zipped: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    random: dict[str, Any] = field(default_factory=dict)
    samples: int | None = None
    seed: int | None = None
    removed: frozenset[str] = frozenset()

    def under(self, lower: "Parameters") -> "Parameters":
        """Both together; where both say something of a parameter, the lower one wins."""
        groups = lower.zipped.values()
        said = {
            *lower.fixed,
            *lower.grid,
            *lower.random,
            *lower.removed,
            *(key for group in groups for key in group),
        }
        zipped = {
            name: {key: values for key, values in group.items() if key not in said}
            for name, group in self.zipped.items()
        }
        for name, group in lower.zipped.items():
            zipped[name] = zipped.get(name, {}) | group
        return Parameters(
            {key: value for key, value in self.fixed.items() if key not in said} | lower.fixed,
            {key: value for key, value in self.grid.items() if key not in said} | lower.grid,
            {name: group for name, group in zipped.items() if group},
            {key: value for key, value in self.random.items() if key not in said} | lower.random,
            self.samples if lower.samples is None else lower.samples,
            self.seed if lower.seed is None else lower.seed,
        )


def read_parameters(section: Mapping[str, Any], left: list[str]) -> Parameters:
    """What one level of the file says; `left` hears of what isn't understood."""
    fixed = flat(section.get("fixed") or {})
    removed = frozenset(key for key, value in fixed.items() if value == REMOVED)
    found = Parameters(
        {key: value for key, value in fixed.items() if key not in removed}, removed=removed
    )
    for key, spec in _specs(section.get("grid") or {}).items():
        values = _listed(spec)
        if values is None:
            left.append(f"grid.{key}: a parameter of type {spec.get('type')!r}")
        elif "zip_id" in spec:
            found.zipped.setdefault(str(spec["zip_id"]), {})[key] = values
        else:
            found.grid[key] = values
    drawn = dict(section.get("random") or {})
    given = [drawn.pop(key, None) for key in _OWN_OF_RANDOM]
    samples, seed = (None if value is None else int(value) for value in given)
    found.random.update(_specs(drawn))
    return replace(found, samples=samples, seed=seed)


def _specs(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters by dotted names: a mapping with a type is one, any other leads further down."""
    found: dict[str, Any] = {}
    for key, value in (section if prefix else nested(flat(section))).items():
        if not isinstance(value, dict):
            raise TypeError(f"{prefix}{key}: {value}: a parameter has a type")
        if value.get("type") == "parameter_collection":
            found |= _specs(value.get("params") or {}, f"{prefix}{key}.")
        elif "type" not in value:
            found |= _specs(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return found


def _listed(spec: Mapping[str, Any]) -> list[Any] | None:
    """The values of a parameter of `grid`."""
    kind = spec["type"]
    if kind == "choice":
        return list(spec["options"])
    low, high = spec.get("min"), spec.get("max")
    if low is None or high is None:
        return None
    if kind == "range":
        step = spec.get("step", 1)
        count = max(0, math.ceil((high - low) / step))
        # As NumPy has it, down to the last digit: the step between the first two.
        return [low + index * (low + step - low) for index in range(count)]
    number = int(spec.get("num", 0))
    if number < 1 or kind not in ("uniform", "loguniform"):
        return None
    if kind == "uniform":
        return _evenly(low, high, number)
    return [10.0**each for each in _evenly(math.log10(low), math.log10(high), number)]


def _evenly(low: float, high: float, number: int) -> list[float]:
    step = (high - low) / max(1, number - 1)
    values = [index * step + low for index in range(number)]
    return values if number == 1 else [*values[:-1], float(high)]


def distribution_of(spec: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is drawn, as a grid file has it."""
    match spec:
        case {"type": "choice", "options": options}:
            return {"choice": options}
        case {"type": "uniform", "min": low, "max": high}:
            return {"uniform": [low, high]}
        case {"type": "loguniform", "min": low, "max": high}:
            return {"log_uniform": [low, high]}
        case {"type": "randint", "min": low, "max": high}:
            return {"int_uniform": [low, high - 1]}
    return None
