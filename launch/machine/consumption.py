"""What a process of this machine and those below it take of its cores and memory."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.machine.processes import Process, tree_stat_fields

_PROC = Path("/proc")
_TIMES = slice(11, 15)
_RESIDENT = 21
"""Fields of /proc/PID/stat, counted after the command's name: CPU in user and kernel mode, of
the process and of its children that have ended; pages in memory."""


@dataclass(frozen=True, slots=True)
class Consumption:
    """What a tree of processes takes.

    Attributes:
        cpu_s: that all of them have had, and those that have ended.
        memory_mb: that they have at the moment.
    """

    cpu_s: float
    memory_mb: float


def consumption_of(leader: Process) -> Consumption | None:
    """What a process and those below it take; None if it is gone or can't be looked at."""
    known = tree_stat_fields(leader)
    if known is None:
        return None
    ticks = sum(sum(map(int, fields[_TIMES])) for fields in known.values())
    return Consumption(
        cpu_s=ticks / os.sysconf("SC_CLK_TCK"),
        memory_mb=sum(_memory_bytes(pid, fields) for pid, fields in known.items()) / 2**20,
    )


def _memory_bytes(pid: int, fields: Sequence[str]) -> int:
    """Its share of what is in memory.

    Workers that were forked share nearly all of their pages with training: counted in full for
    each, four workers would seem to need five times what there is.
    """
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
    except (OSError, ValueError, StopIteration):
        return int(fields[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE")
