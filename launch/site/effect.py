"""Which entries of resources do nothing, given the others. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from launch.site.resources import Resources
from launch.site.sbatch_options import NEED_GPUS

DECIDES_EFFECT = frozenset(
    {
        *("gpus_per_node", "tasks_per_node"),
        *("mem", "mem_per_gpu", "cpus_per_task", "cpus_per_gpu"),
    }
)
"""Entries that others have an effect, or none, because of."""


def idle_entries(resources: Resources) -> dict[str, str]:
    """The entries that change nothing, and why; what is said once and ignored is a mistake."""
    return dict(_idle(resources))


def effective(resources: Resources) -> Resources:
    """The same request without what does nothing: what a plan shows, and Slurm is asked for."""
    kept = replace(resources, **dict.fromkeys(idle_entries(resources)))
    if kept.sbatch is None:
        return kept
    idle = NEED_GPUS if not kept.gpus_per_node else frozenset()
    # Slurm refuses two words on memory.
    idle |= {"mem-per-cpu"} if kept.mem_per_node is not None else frozenset()
    return replace(kept, sbatch={k: v for k, v in kept.sbatch.items() if k not in idle} or None)


def _idle(resources: Resources) -> Iterator[tuple[str, str]]:
    given = resources.given()
    on_gpus = bool(resources.gpus_per_node)
    for name in ("gpu_type", "cpus_per_gpu", "mem_per_gpu", "max_gpus"):
        if name in given and not on_gpus:
            yield name, "no effect without GPUs: there is no `gpus_per_node`"
    if on_gpus and "tasks_per_node" in given:
        yield "tasks_per_node", "no effect beside `gpus_per_node`: one rank a GPU"
    if on_gpus and {"mem", "mem_per_gpu"} <= given.keys():
        yield "mem", "no effect beside `mem_per_gpu`"
    if on_gpus and {"cpus_per_task", "cpus_per_gpu"} <= given.keys():
        yield "cpus_per_task", "no effect beside `cpus_per_gpu`"
