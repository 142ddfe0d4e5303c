"""Resources and a site -> the parameters of one sbatch request, as plain data."""

import shlex
from collections.abc import Mapping

from launch.site.allocation import allocation_of
from launch.site.resources import Resources
from launch.site.sbatch_options import PLAIN, joined_gres
from launch.site.sites import GpuFlag, Memory, Site

Parameters = Mapping[str, str | int | bool]
"""Long options of sbatch with underscores in their names; True for an option without a value."""


def sbatch_parameters(resources: Resources, site: Site) -> Parameters:
    """What sbatch is asked for.

    One Slurm task is one rank, or all of a pack. Cores are asked for by the task, and memory by
    the node where the site doesn't say otherwise, which every Slurm understands, also one without
    GPU scheduling.

    Raises:
        ConfigError: the site can't be asked for this.
    """
    asked = allocation_of(site.asked(resources))
    named = {
        **{name: getattr(asked, name) for name in PLAIN},
        "nodes": asked.nodes or 1,
        **_task_parameters(asked),
        "time": asked.time or (None if asked.time is None else "UNLIMITED"),
        "exclusive": asked.exclusive or None,
        **_memory_parameters(asked, site.memory),
        **_gpu_parameters(asked, site.gpu_flag),
    }
    said = {name: value for name, value in named.items() if value is not None}
    further = {name.replace("-", "_"): value for name, value in (asked.sbatch or {}).items()}
    if "gres" in further and "gres" in said:
        further["gres"] = joined_gres(str(said["gres"]), str(further["gres"]))
    return {**said, **further}


def _task_parameters(asked: Resources) -> dict[str, int | None]:
    ranks, cores = asked.ranks_per_node, asked.cpus_per_rank
    if asked.pack is None:
        return {"ntasks_per_node": ranks, "cpus_per_task": cores}
    # Its one task shares them out. A single rank is left with what the site gives to a task.
    is_left = cores is None and ranks == 1
    return {"ntasks_per_node": 1, "cpus_per_task": None if is_left else ranks * (cores or 1)}


def setup_lines(site: Site) -> list[str]:
    """Shell lines that run on the first node of a job before anything else."""
    if not site.modules:
        return list(site.setup)
    return [
        # Shells that don't read a profile may not have it.
        'command -v module > /dev/null || source "$MODULESHOME/init/bash"',
        *(f"module load {shlex.quote(module)} || exit 1" for module in site.modules),
        *site.setup,
    ]


def _memory_parameters(asked: Resources, how: Memory) -> dict[str, str | int]:
    memory = asked.mem_per_node
    if memory is None:
        return {}
    if how is Memory.PER_CPU:
        cpus = asked.ranks_per_node * (asked.cpus_per_rank or 1)
        return {"mem_per_cpu": f"{-(-memory // cpus)}M"}
    if how is Memory.PER_GPU and asked.gpus_per_node:
        return {"mem_per_gpu": f"{-(-memory // asked.gpus_per_node)}M"}
    return {"mem": f"{memory}M" if memory else 0}


def _gpu_parameters(asked: Resources, flag: GpuFlag) -> dict[str, str | int]:
    if not asked.gpus_per_node:
        return {}
    amount = ":".join(filter(None, [asked.gpu_type, str(asked.gpus_per_node)]))
    if flag is GpuFlag.GRES:
        return {"gres": f"gpu:{amount}"}
    return {"gpus_per_node": amount}
