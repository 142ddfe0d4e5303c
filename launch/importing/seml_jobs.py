"""The section `slurm` of a SEML file: what its jobs ask for."""

from typing import Any

from launch.importing.sbatch_words import resources_of
from launch.importing.seml_parameters import REMOVED

_DEFAULTS = {"time": "8 hours", "mem": "8G"}
"""What SEML's settings ask for, unless somebody has changed them."""

_MEANT = {
    "sbatch_options_template": "write what it stands for in SEML's settings.py into resources",
}


def resources_of_slurm(slurm: Any, left: list[str]) -> dict[str, Any]:
    """What an experiment asks for; `left` hears of what is not carried over."""
    first: Any = slurm[0] if isinstance(slurm, list) and slurm else slurm
    if isinstance(slurm, list) and len(slurm) > 1:
        left.append("slurm: more than one, of which the first is taken")
    if not isinstance(first, dict):
        first = {}
    given = {
        str(key).lstrip("-").replace("_", "-"): value
        for key, value in (first.get("sbatch_options") or {}).items()
    }
    options = {key: value for key, value in given.items() if value != REMOVED}
    found = resources_of(options, left)
    left += [
        f"slurm: no {key}: that of SEML's settings, {default} unless you have set another"
        for key, default in _DEFAULTS.items()
        if key not in given
    ]
    many = first.get("experiments_per_job", 1)
    if many != 1 and _is_packable(found, left):
        found["pack"] = {"per_job": many, "per_gpu": many}
    if type(most := first.get("max_simultaneous_jobs")) is int:
        found["max_parallel"] = most * (many if "pack" in found else 1)
    for key, value in first.items():
        if key not in ("sbatch_options", "max_simultaneous_jobs", "experiments_per_job"):
            left.append(f"slurm.{key}: {value}: {_MEANT.get(key, 'SEML alone has it')}")
    return found


def _is_packable(found: dict[str, Any], left: list[str]) -> bool:
    """Whether several experiments can have one job, as they have with SEML all at a time."""
    if found.get("nodes", 1) == 1:
        return True
    left.append("slurm.experiments_per_job: several experiments share a job of one node alone")
    return False
