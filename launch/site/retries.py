"""How often an experiment that ended badly comes back by itself, by the reason."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

RETRY_FORMS = "{oom: {mem_factor: 1.5, max: 2}, node_fail: {max: 3}}, or a part of it"
"""For error messages."""

MEM_FACTOR = 1.5


@dataclass(frozen=True, slots=True)
class OutOfMemoryRetries:
    """Again with more memory.

    Attributes:
        most: how often.
        mem_factor: by how much the request grows each time.
    """

    most: int
    mem_factor: float = MEM_FACTOR


@dataclass(frozen=True, slots=True)
class Retries:
    """What comes back; what Slurm interrupted always does.

    Attributes:
        failures: how often after an error of the experiment's own.
        node_failures: how often after attempts that ended without a word; None for always.
    """

    failures: int = 0
    out_of_memory: OutOfMemoryRetries | None = None
    node_failures: int | None = None

    @classmethod
    def of(cls, resources: Mapping[str, Any]) -> "Retries":
        """What resources say in `retries` and `retry`, see `parse_retry`."""
        retry = resources.get("retry") or {}
        oom = retry.get("oom")
        return cls(
            failures=resources.get("retries") or 0,
            out_of_memory=oom and OutOfMemoryRetries(oom["max"], oom["mem_factor"]),
            node_failures=retry.get("node_fail", {}).get("max"),
        )


def parse_retry(value: Any) -> dict[str, dict[str, Any]]:
    """The entry `retry` of resources, with nothing left open.

    Raises:
        ValueError: it isn't one, see `RETRY_FORMS`.
    """
    if not isinstance(value, dict) or not value.keys() <= {"oom", "node_fail"}:
        raise ValueError(value)
    parsed: dict[str, dict[str, Any]] = {}
    if "oom" in value:
        policy = _entries(value["oom"], {"mem_factor": MEM_FACTOR, "max": 1})
        parsed["oom"] = {"mem_factor": _factor(policy["mem_factor"]), "max": _most(policy["max"])}
    if "node_fail" in value:
        parsed["node_fail"] = {"max": _most(_entries(value["node_fail"], {"max": 1})["max"])}
    return parsed


def _entries(value: Any, defaults: Mapping[str, Any]) -> dict[str, Any]:
    given = {} if value is None else value
    if not isinstance(given, dict) or not given.keys() <= defaults.keys():
        raise ValueError(value)
    return {**defaults, **given}


def _most(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(value)
    return value


def _factor(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 1 < value <= 100:
        raise ValueError(value)
    return float(value)
