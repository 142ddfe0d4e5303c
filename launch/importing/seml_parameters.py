"""Parameters of a SEML file: what is fixed, what varies, what is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from launch.importing.imported import flat

_OWN_OF_RANDOM = ("samples", "seed")


@dataclass(frozen=True, slots=True)
class Parameters:
    """By dotted names.

    Attributes:
        zipped: axes that advance together, by the id of their group.
        random: distributions, as a grid file has them.
        samples, seed: how often is drawn, and from which stream.
    """

    fixed: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, list[Any]] = field(default_factory=dict)
    zipped: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    random: dict[str, Any] = field(default_factory=dict)
    samples: int = 1
    seed: int = 0

    def under(self, lower: "Parameters") -> "Parameters":
        """Both together; where both say something of a parameter, the lower one wins."""
        groups = lower.zipped.values()
        said = {
            *lower.fixed,
            *lower.grid,
            *lower.random,
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
            max(self.samples, lower.samples),
            lower.seed or self.seed,
        )


def read_parameters(section: Mapping[str, Any], left: list[str]) -> Parameters:
    """What one level of the file says; `left` hears of what isn't understood."""
    found = Parameters(fixed=flat(section.get("fixed") or {}))
    for key, spec in _specs(section.get("grid") or {}).items():
        values = _listed(spec)
        if values is None:
            left.append(f"grid.{key}: a parameter of type {spec.get('type')!r}")
        elif "zip_id" in spec:
            found.zipped.setdefault(str(spec["zip_id"]), {})[key] = values
        else:
            found.grid[key] = values
    drawn = dict(section.get("random") or {})
    samples, seed = (int(drawn.pop(key, None) or 0) for key in _OWN_OF_RANDOM)
    for key, spec in _specs(drawn).items():
        distribution = _distribution(spec)
        if distribution is None:
            left.append(f"random.{key}: a parameter of type {spec.get('type')!r}")
        else:
            found.random[key] = distribution
    return Parameters(found.fixed, found.grid, found.zipped, found.random, max(samples, 1), seed)


def _specs(section: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Parameters by dotted names: a mapping with a type is one, any other leads further down."""
    found: dict[str, Any] = {}
    for key, value in section.items():
        if not isinstance(value, dict):
            continue
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
        count = max(0, -int(-(high - low) // step))
        return [low + index * step for index in range(count)]
    number = int(spec.get("num", 0))
    if number < 1 or kind not in ("uniform", "loguniform"):
        return None
    shares = [index / max(1, number - 1) for index in range(number)]
    if kind == "uniform":
        return [low + share * (high - low) for share in shares]
    return [low * (high / low) ** share for share in shares]


def _distribution(spec: Mapping[str, Any]) -> dict[str, Any] | None:
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
