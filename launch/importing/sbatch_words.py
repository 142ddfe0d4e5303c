"""Options of sbatch, as others write them, as `resources` of a grid file."""

from collections.abc import Mapping
from typing import Any

_SAME = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "constraint": "constraint",
    "reservation": "reservation",
    "time": "time",
    "mem": "mem",
    "nodes": "nodes",
    "cpus-per-task": "cpus_per_task",
    "nodelist": "nodelist",
    "exclude": "exclude",
}

SHORT = {
    "p": "partition",
    "A": "account",
    "q": "qos",
    "C": "constraint",
    "t": "time",
    "N": "nodes",
    "c": "cpus-per-task",
    "J": "job-name",
    "a": "array",
    "o": "output",
    "e": "error",
    "n": "ntasks",
    "G": "gpus",
    "w": "nodelist",
    "x": "exclude",
}

_OURS = ("job-name", "output", "error", "array", "requeue", "no-requeue", "open-mode", "signal")
"""What pcm sees to itself."""


def resources_of(options: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """What options ask for; `left` hears of those that are not carried over."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name in _SAME:
            found[_SAME[name]] = value
        elif name in ("gres", "gpus-per-node", "gpus") and (gpus := _gpus(str(value))):
            count, kind = gpus
            found |= {"gpus_per_node": count} | ({"gpu_type": kind} if kind else {})
        elif name in ("ntasks-per-node", "ntasks"):
            left.append(f"--{name}={value}: pcm starts a script once a rank; see tasks_per_node")
        elif name in _OURS:
            left.append(f"--{name}: pcm sees to it itself")
        else:
            left.append(f"--{name}={value}: write it as `sbatch: {{{name}: ...}}` if it is needed")
    if "gpus_per_node" not in found:
        found["tasks_per_node"] = 1
    elif found["gpus_per_node"] > 1:
        left.append("several GPUs: pcm starts the script once for each of them, as a rank")
    return found


def _gpus(text: str) -> tuple[int, str | None] | None:
    """How many GPUs `gpu:2`, `gpu:a100:2` or `2` are, and of which kind."""
    words = [word for word in text.split(":") if word != "gpu"]
    count = words[-1] if words and words[-1].isdecimal() else "1"
    kinds = [word for word in words if not word.isdecimal()]
    return (int(count), kinds[0] if kinds else None) if len(kinds) < 2 else None
