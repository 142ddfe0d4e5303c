"""Resources and a site -> the parameters of one sbatch request, as plain data."""

import shlex
from collections.abc import Mapping

from launch.site.resources import Resources
from launch.site.sites import GpuFlag, Site

Parameters = Mapping[str, str | int | bool]
"""Long options of sbatch with underscores in their names; True for an option without a value."""


def sbatch_parameters(resources: Resources, site: Site) -> Parameters:
    """What sbatch is asked for.

    One Slurm task is one rank. Memory is asked for by the node and cores by the task,
    which every Slurm understands, also one without GPU scheduling.
    """
    asked = resources.over(site.defaults)
    parameters: dict[str, str | int | bool | None] = {
        "partition": asked.partition,
        "account": asked.account,
        "qos": asked.qos,
        "constraint": asked.constraint,
        "nodes": asked.nodes or 1,
        "ntasks_per_node": asked.ranks_per_node,
        "cpus_per_task": asked.cpus_per_rank,
        "mem": None if asked.mem_per_node is None else f"{asked.mem_per_node}M",
        "time": asked.time,
        **_gpu_parameters(asked, site.gpu_flag),
        **{name.replace("-", "_"): _option(value) for name, value in site.sbatch.items()},
    }
    return {name: value for name, value in parameters.items() if value is not None}


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


def _gpu_parameters(asked: Resources, flag: GpuFlag) -> dict[str, str | int]:
    if not asked.gpus_per_node:
        return {}
    amount = ":".join(filter(None, [asked.gpu_type, str(asked.gpus_per_node)]))
    if flag is GpuFlag.GRES:
        return {"gres": f"gpu:{amount}"}
    return {"gpus_per_node": amount}


def _option(value: str | int) -> str | int | bool:
    """A site writes `exclusive: ""` for an option without a value."""
    return True if value == "" else value
