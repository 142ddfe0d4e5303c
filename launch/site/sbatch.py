"""Resources and a site -> the parameters of one sbatch request, as plain data."""

from launch.site.resources import Resources
from launch.site.sites import GpuFlag, Site


def sbatch_parameters(resources: Resources, site: Site) -> dict[str, str | int]:
    """What sbatch is asked for, under its long options' names with underscores.

    One Slurm task is one rank. Memory is asked for by the node and cores by the task,
    which every Slurm understands, also one without GPU scheduling.
    """
    asked = resources.over(site.defaults)
    parameters: dict[str, str | int | None] = {
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
        **site.sbatch,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _gpu_parameters(asked: Resources, flag: GpuFlag) -> dict[str, str | int]:
    if not asked.gpus_per_node:
        return {}
    amount = ":".join(filter(None, [asked.gpu_type, str(asked.gpus_per_node)]))
    if flag is GpuFlag.GRES:
        return {"gres": f"gpu:{amount}"}
    return {"gpus_per_node": amount}
