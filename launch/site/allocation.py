"""What one task of an array asks for: an experiment's resources, or those of a pack. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from launch.site.packs import Pack
from launch.site.resources import Resources
from launch.site.values import MOST
from pcm.errors import Fault


def pack_of(resources: Resources) -> Pack | None:
    """How an experiment shares its allocation; None where it has one to itself."""
    if resources.pack is None:
        return None
    return Pack(**resources.pack, most=resources.max_parallel)


def allocation_of(resources: Resources) -> Resources:
    """What an allocation has: `sets` times what one experiment asks for, on one node.

    What is asked for each GPU or rank grows with these by itself.
    """
    pack = pack_of(resources)
    if pack is None:
        return resources
    gpus, ranks, memory = resources.gpus_per_node, resources.tasks_per_node, resources.mem
    return replace(
        resources,
        gpus_per_node=gpus and gpus * pack.sets,
        tasks_per_node=None if gpus else (ranks or 1) * pack.sets,
        mem=memory and memory * pack.sets,
    )


def task_limit(resources: Resources) -> int | None:
    """Tasks of arrays that may run at once; at least one, and None for any number."""
    pack, gpus = pack_of(resources), allocation_of(resources).gpus
    limits = []
    if resources.max_parallel is not None:
        limits.append(resources.max_parallel // (1 if pack is None else pack.at_once))
    if resources.max_gpus is not None and gpus:
        limits.append(resources.max_gpus // gpus)
    return max(1, min(limits)) if limits else None


def contradictions(resources: Resources) -> Iterator[Fault]:
    """Entries that can't be had together; each fault's `key` is the entry's own name."""
    gpus = allocation_of(resources).gpus
    if resources.world_size > MOST:
        # Each may be written down by itself, in a file of resources or in a trainer's.
        expected = f"at most {MOST:,} on all nodes together"
        yield Fault("too many ranks", key="nodes", expected=expected)
    if resources.pack is not None and (resources.nodes or 1) > 1:
        hint = "leave out `pack`, or ask for one node"
        yield Fault("what is packed runs on one node", key="pack", hint=hint)
    if resources.max_gpus is not None and gpus > resources.max_gpus:
        found, expected = str(resources.max_gpus), f"{gpus} at least, which one job has"
        yield Fault("never enough for one job", key="max_gpus", found=found, expected=expected)
