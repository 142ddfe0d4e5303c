"""Options of sbatch, as others write them, as `resources` of a grid file."""

import re
from collections.abc import Mapping
from typing import Any

from launch.site.sbatch_options import OURS, RESOURCE_OF

_OURS = ("job-name", "output", "error", "array", "requeue", "no-requeue", "open-mode", "signal")
"""What pcm sees to itself."""

_RANKS = ("ntasks", "ntasks-per-node", "tasks-per-node")
_GPUS = ("gpus-per-node", "gpus", "gpus-per-task")
_COUNTS = ("nodes", "cpus-per-task", "cpus-per-gpu")
_AMOUNTS = ("time", "mem", "mem-per-gpu")
_OTHERWISE = {
    "chdir": "launch from there",
    "export": "set variables where you launch, or in the script",
    "tasks-per-node": OURS["ntasks-per-node"],
    **OURS,
}


def resources_of(options: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """What options ask for; `left` hears of those that are not carried over."""
    found: dict[str, Any] = {}
    for name, value in _without_gpus(options, found, left).items():
        number = _number(value)
        is_count = name in _COUNTS and type(number) is int
        if is_count or name in _AMOUNTS:
            found[RESOURCE_OF.get(name, name)] = number
        elif name in RESOURCE_OF and name not in _COUNTS:
            found[RESOURCE_OF[name]] = value
        elif name not in _RANKS or number != 1:
            left.append(_not_carried_over(name, value))
    gpus = found.get("gpus_per_node", 0)
    if not gpus:
        found["tasks_per_node"] = 1
    elif gpus > 1:
        left.append("several GPUs: pcm starts the script once for each of them, as a rank")
    return found


def _not_carried_over(name: str, value: Any) -> str:
    """An option, and what to do in place of it."""
    shown = f"--{name}" if value is True else f"--{name}={value}"
    if name in _COUNTS:
        return f"{shown}: write one number into resources"
    if name in _RANKS:
        return f"{shown}: pcm starts a script once a rank; see tasks_per_node"
    if name in _OURS:
        return f"--{name}: pcm sees to it itself"
    otherwise = f"write it as `sbatch: {{{name}: ...}}` if it is needed"
    return f"{shown}: {_OTHERWISE.get(name, otherwise)}"


def _without_gpus(
    options: Mapping[str, Any], found: dict[str, Any], left: list[str]
) -> Mapping[str, Any]:
    """The options besides those that ask for GPUs, which `found` gets."""
    others = dict(options)
    for name in (name for name in _GPUS if name in options):
        count, kind = _gpus(str(others.pop(name)))
        many = _sharing(name, options)
        if count is None or many is None or count % many:
            left.append(f"--{name}={options[name]}: write gpus_per_node, of one kind")
        else:
            found |= _asked(count // many, kind)
    parts = str(others.get("gres", "")).split(",")
    mine = [part for part in parts if part.partition(":")[0] == "gpu"]
    count, kind = _gpus(mine[0]) if len(mine) == 1 else (None, None)
    if count is not None:
        found |= _asked(count, kind)
        others["gres"] = ",".join(part for part in parts if part not in mine)
    return {name: value for name, value in others.items() if value != "" or name != "gres"}


def _sharing(option: str, options: Mapping[str, Any]) -> int | None:
    """How many nodes share what an option asks for; None where that is not known."""
    if option == "gpus-per-task":
        return 1 if all(_number(options.get(name, 1)) == 1 for name in _RANKS) else None
    nodes = _number(options.get("nodes", 1)) if option == "gpus" else 1
    return nodes if type(nodes) is int and nodes > 0 else None


def _asked(count: int, kind: str | None) -> dict[str, Any]:
    return {"gpus_per_node": count} | ({"gpu_type": kind} if kind else {})


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _gpus(text: str) -> tuple[int | None, str | None]:
    """How many GPUs `gpu:2`, `gpu:a100:2(S:0)` or `2` are, and of which kind.

    No number for several kinds.
    """
    words = [word for word in re.sub(r"\(.*\)$", "", text).split(":") if word != "gpu"]
    count = words[-1] if words and words[-1].isdecimal() else "1"
    kinds = [word for word in words if not word.isdecimal()]
    return (None if "," in text or len(kinds) > 1 else int(count)), next(iter(kinds), None)
