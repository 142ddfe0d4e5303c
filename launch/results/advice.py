"""What to ask of a machine next time, from what experiments that are done took."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from launch.results.usage import Used
from launch.site.allocation import pack_of
from launch.site.resources import Resources
from launch.site.units import format_memory, format_time
from launch.status.state import State

MEMORY_MARGIN = 1.25
"""Looks are half a minute apart, and data may be larger in another epoch."""

CORES_MARGIN = 1.25
"""The need of data is uneven."""

TIME_MARGIN = 1.3
"""Other nodes are slower, and file servers busy."""

NEARLY_ALL = 0.9
"""Of what was asked for: who took as much might have taken more."""

IDLE_PERCENT = 50.0
"""A GPU that computes less of the time waits for something."""


WAITING_PERCENT = 10.0
"""Who waits longer for data gains by having them sooner."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One experiment: what it asked for, and what it took."""

    id: str
    name: str
    state: State
    asked: Resources
    used: Used

    @property
    def is_evidence(self) -> bool:
        """Whether it tells what such an experiment needs: what failed may have needed more."""
        return self.state is State.DONE and self.used.samples > 0

    @property
    def cores_asked(self) -> int | None:
        """Of all ranks together."""
        cores = self.asked.cpus_per_rank
        return None if cores is None else cores * self.asked.world_size


@dataclass(frozen=True, slots=True)
class Advice:
    """For experiments with the same nodes and ranks.

    Attributes:
        experiments: how many it is drawn from.
        resources: entries of a grid file.
        remarks: what a person has to decide.
    """

    experiments: int
    nodes: int
    ranks_per_node: int
    resources: dict[str, str | int]
    remarks: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """As a line of a grid file."""
        entries = (f"{name}: {_quoted(value)}" for name, value in self.resources.items())
        return f"resources: {{{', '.join(entries)}}}"


def advise(taken: Iterable[Taken]) -> list[Advice]:
    """An advice for each kind of nodes and ranks of which something is done."""
    kinds: dict[tuple[int, ...], list[Taken]] = {}
    for each in taken:
        if each.is_evidence:
            asked = each.asked
            ranks = (asked.nodes or 1, asked.ranks_per_node, asked.gpus_per_node or 0)
            kind = (*ranks, _sharing(asked))
            kinds.setdefault(kind, []).append(each)
    return [_advice(group) for group in kinds.values()]


def _advice(group: Sequence[Taken]) -> Advice:
    asked = group[0].asked
    remarks: list[str] = []
    resources: dict[str, str | int] = {
        **_memory(group),
        **_cores(group, remarks),
        **_time(group, remarks),
    }
    _look_at_gpus(group, remarks)
    _look_at_data(group, remarks)
    return Advice(len(group), asked.nodes or 1, asked.ranks_per_node, resources, tuple(remarks))


def _sharing(asked: Resources) -> int:
    """How many experiments share what one asks for."""
    pack = pack_of(asked)
    return 1 if pack is None else min(pack.per_gpu, pack.at_once)


def _memory(group: Sequence[Taken]) -> dict[str, str]:
    asked = group[0].asked
    peak = max(each.used.memory_mb or 0.0 for each in group) * MEMORY_MARGIN * _sharing(asked)
    if asked.mem_per_gpu is not None and asked.gpus_per_node:
        return {"mem_per_gpu": format_memory(round_memory(peak / asked.gpus_per_node))}
    return {"mem": format_memory(round_memory(peak))}


def _cores(group: Sequence[Taken], remarks: list[str]) -> dict[str, int]:
    asked = group[0].asked
    busy = max(each.used.cores_of_rank or 0.0 for each in group) * _sharing(asked)
    most = max(each.asked.cpus_per_rank or 0 for each in group)
    # Where data are late, cores that were idle are for more workers.
    cores = most if most and _is_waiting(group) else max(1, math.ceil(busy * CORES_MARGIN))
    if most and busy >= NEARLY_ALL * most:
        remarks.append("all cores of a rank were busy: with more it may be faster")
    name = "cpus_per_gpu" if asked.gpus_per_node and asked.cpus_per_gpu else "cpus_per_task"
    return {name: min(cores, most) if most else cores}


def _time(group: Sequence[Taken], remarks: list[str]) -> dict[str, str]:
    if group[0].asked.pack is not None:
        # Its limit is that of a job for many.
        return {}
    longest_s = max(each.used.longest_s or 0.0 for each in group)
    limit_s = max(60.0 * (each.asked.time or 0) for each in group)
    if longest_s == 0.0:
        return {}
    if limit_s and longest_s >= NEARLY_ALL * limit_s:
        remarks.append("an attempt took all of its time limit, which is left as it is")
        return {}
    return {"time": format_time(round_minutes(longest_s / 60 * TIME_MARGIN))}


def _look_at_gpus(group: Sequence[Taken], remarks: list[str]) -> None:
    known = [each.used.gpu_percent for each in group if each.used.gpu_percent is not None]
    if known and (mean := sum(known) / len(known)) < IDLE_PERCENT:
        remarks.append(
            f"GPUs computed for {mean:.0f} % of the time: more workers for the data, larger "
            "batches or fewer GPUs may do"
        )
    elif not known and any(each.asked.gpus for each in group):
        remarks.append("what GPUs did isn't known: nvidia-smi told nothing")


def _look_at_data(group: Sequence[Taken], remarks: list[str]) -> None:
    if _is_waiting(group):
        remarks.append(
            f"training waited for data {_waited_percent(group):.0f} % of the time: more workers of "
            "its loader (num_workers), with a core each, or less work for each item may do"
        )


def _is_waiting(group: Sequence[Taken]) -> bool:
    return _waited_percent(group) >= WAITING_PERCENT


def _waited_percent(group: Sequence[Taken]) -> float:
    known = [each.used.data_percent for each in group if each.used.data_percent is not None]
    return sum(known) / len(known) if known else 0.0


def round_memory(megabytes: float) -> int:
    """Up to a number that a person would write: 256 MB, 512 MB ..., whole gigabytes from 2 on."""
    unit = 256 if megabytes <= 2048 else 1024
    return max(1, math.ceil(megabytes / unit)) * unit


def round_minutes(minutes: float) -> int:
    """Up to 10, 15, 20 minutes ..., quarters of hours from 2 hours on, hours from 12 on."""
    hours = minutes / 60
    unit = 5 if hours <= 2 else 15 if hours <= 12 else 60
    return max(10, math.ceil(minutes / unit) * unit)


def _quoted(value: str | int) -> str:
    # YAML 1.1 takes 01:30:00 for a number.
    return f'"{value}"' if ":" in str(value) else str(value)
