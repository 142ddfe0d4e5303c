"""Options of sbatch, as others write them, as `resources` of a grid file."""

import re
from collections.abc import Mapping
from typing import Any

from launch.site.sbatch_options import RESOURCE_OF

_OURS = ("job-name", "output", "error", "array", "requeue", "no-requeue", "open-mode", "signal")
"""What pcm sees to itself."""

_RANKS = ("ntasks", "ntasks-per-node", "tasks-per-node")
_GPUS = ("gpus-per-node", "gpus")
_GPU_GRES = re.compile(r"gpu(:[^,()]+)?")
_COUNTS = ("nodes", "time", "mem", "cpus-per-task")


def resources_of(options: Mapping[str, Any], left: list[str]) -> dict[str, Any]:
    """What options ask for; `left` hears of those that are not carried over."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name == "nodes" or name in RESOURCE_OF:
            found[RESOURCE_OF.get(name, name)] = _number(value) if name in _COUNTS else value
        elif name in _GPUS or (name == "gres" and _GPU_GRES.fullmatch(str(value))):
            count, kind = _gpus(str(value))
            found |= {"gpus_per_node": count} | ({"gpu_type": kind} if kind else {})
        elif name in _RANKS:
            if _number(value) != 1:
                left.append(
                    f"--{name}={value}: pcm starts a script once a rank; see tasks_per_node"
                )
        elif name in _OURS:
            left.append(f"--{name}: pcm sees to it itself")
        else:
            left.append(f"--{name}={value}: write it as `sbatch: {{{name}: ...}}` if it is needed")
    gpus = found.get("gpus_per_node", 0)
    if not gpus:
        found["tasks_per_node"] = 1
    elif gpus > 1:
        left.append("several GPUs: pcm starts the script once for each of them, as a rank")
    return found


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _gpus(text: str) -> tuple[int, str | None]:
    """How many GPUs `gpu:2`, `gpu:a100:2` or `2` are, and of which kind."""
    words = [word for word in text.split(":") if word != "gpu"]
    count = words[-1] if words and words[-1].isdecimal() else "1"
    kinds = [word for word in words if not word.isdecimal()]
    return int(count), kinds[0] if kinds else None
