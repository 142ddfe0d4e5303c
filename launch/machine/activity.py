"""What a process of this machine and those below it are doing, as the kernel tells."""

import os
from dataclasses import dataclass
from pathlib import Path

from launch.machine.processes import Process, tree_stat_fields

_PROC = Path("/proc")
_STATE, _USER, _SYSTEM = 0, 11, 12
"""Fields of /proc/PID/stat, counted after the command's name."""

_WRAPPERS = ("apptainer", "singularity", "starter", "appinit", "sh", "bash")
"""Beginnings of the names of what is between a supervisor and training inside an image."""

STOPPED = ("T", "t")
"""The kernel's letters for a process that a signal, or a debugger, has stopped."""


@dataclass(frozen=True, slots=True)
class Activity:
    """What a tree of processes does.

    Attributes:
        state: the kernel's letter for the one that matters: R, S, D, T, Z.
        cpu_s: that all of them have had.
        waits_in: the function of the kernel that it waits in; "" where that isn't told.
        stopped: how many of them are stopped by a signal.
    """

    state: str
    cpu_s: float
    waits_in: str = ""
    stopped: int = 0


def activity_of(leader: Process) -> Activity | None:
    """What a process and those below it do; None if it is gone or can't be looked at."""
    known = tree_stat_fields(leader)
    if known is None:
        return None
    main = _main(leader.pid, list(known))
    ticks = os.sysconf("SC_CLK_TCK")
    return Activity(
        state=known[main][_STATE],
        cpu_s=sum(int(each[_USER]) + int(each[_SYSTEM]) for each in known.values()) / ticks,
        waits_in=_waits_in(main),
        stopped=sum(each[_STATE] in STOPPED for each in known.values()),
    )


def _main(leader: int, pids: list[int]) -> int:
    """The one that trains: parents come first, and what starts an image is above it."""
    return next((pid for pid in pids if not _text(pid, "comm").startswith(_WRAPPERS)), leader)


def _waits_in(pid: int) -> str:
    """Many kernels don't tell, and say 0."""
    name = _text(pid, "wchan")
    return "" if name == "0" else name


def _text(pid: int, name: str) -> str:
    try:
        return (_PROC / str(pid) / name).read_text(errors="replace").strip()
    except OSError:
        return ""
