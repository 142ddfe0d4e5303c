"""Processes of this machine: who runs, since when, under whom. No psutil on a login node."""

import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PROC = Path("/proc")

_MEGABYTE = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""In the kernel's unit for the memory of processes."""

_STATE, _PARENT, _START = 0, 1, 19
"""Fields of /proc/PID/stat, counted after the command's name."""

_KILL_PATIENCE_S = 5.0
"""How long what was killed is waited for; the kernel may hold it in a call to a disk."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process for ever: ids are used again, ids with a host and a start time are not.

    Attributes:
        started: the kernel's start time in clock ticks since boot; "" where it isn't known.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> "Process":
        """The calling process, so that others can tell it from a later one of its pid."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> "Process":
        """A process of this machine."""
        return cls(_host(), pid, _start_time(pid))

    @classmethod
    def from_record(cls, record: Mapping[str, Any], prefix: str = "") -> "Process | None":
        """The process in a record of the run directory; None if the record has none.

        Args:
            prefix: of the keys, where a record is about several processes.
        """
        try:
            started = str(record[f"{prefix}process_started"])
            return cls(str(record["host"]), int(record[f"{prefix}pid"]), started)
        except (KeyError, TypeError, ValueError):
            return None

    def record(self) -> dict[str, Any]:
        """As plain data, for a JSON file."""
        return {"host": self.host, "pid": self.pid, "process_started": self.started}

    @property
    def is_local(self) -> bool:
        """Whether it belongs to this machine."""
        return self.host == _host()

    @property
    def is_alive(self) -> bool:
        """Whether it runs. Asked of local processes only; a zombie does not run."""
        fields = stat_fields(self.pid)
        if fields is None:
            return not _PROC.is_dir() and _answers(self.pid)
        return fields[_STATE] not in "ZX" and self.started in ("", fields[_START])


def _host() -> str:
    # As `socket.gethostname`, without what that module takes to import.
    return os.uname().nodename


def wait_for_an_end(pids: Collection[int], patience_s: float) -> None:
    """Sleep until one of some processes ends, or for as long as patience lasts."""
    descriptors: list[int] = []
    try:
        descriptors.extend(map(os.pidfd_open, pids))
        select.select(descriptors, [], [], patience_s)
    except ProcessLookupError:
        return  # One has ended, and its parent knows.
    except (AttributeError, OSError, ValueError):
        # Another system than Linux, or an old one, or too many files open.
        time.sleep(patience_s)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def has_ended(child: int) -> bool:
    """Whether a child of the calling process has ended; its exit code is still to be had."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def largest_child_mb() -> int:
    """The most memory that a child of the calling process had whose exit code was fetched."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // _MEGABYTE


def descendants(pid: int) -> list[int]:
    """The processes below `pid`, parents before their children, whatever their session."""
    children = defaultdict(list)
    for child, parent in _parents().items():
        children[parent].append(child)
    found = list(children[pid])
    for descendant in found:  # grows while it is walked
        found.extend(children[descendant])
    return found


def kill_tree(pid: int) -> None:
    """SIGKILL `pid` and everything below it, until none of them is left."""
    # Orphans are adopted by init and no longer below `pid`: so each is remembered.
    doomed = {pid}
    deadline = time.monotonic() + _KILL_PATIENCE_S
    while doomed and time.monotonic() < deadline:
        doomed.update(*map(descendants, doomed))
        for each in doomed:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGKILL)
        time.sleep(0.02)
        doomed = {each for each in doomed if Process.of(each).is_alive}


def kill_group(leader: Process) -> None:
    """SIGKILL a process group of this machine, also what is left of it without its leader."""
    if Process.of(leader.pid).started not in ("", leader.started):
        return  # the group is gone, and another process has got its number
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader.pid, signal.SIGKILL)


def _pids() -> list[int]:
    return [int(path.name) for path in _PROC.glob("[0-9]*")]


def stat_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the state on; None if there is no such process."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _start_time(pid: int) -> str:
    fields = stat_fields(pid)
    return "" if fields is None else fields[_START]


def _parents() -> dict[int, int]:
    """The parent of each process of this machine, by their pids."""
    if _PROC.is_dir():
        stats = ((pid, stat_fields(pid)) for pid in _pids())
        return {pid: int(fields[_PARENT]) for pid, fields in stats if fields is not None}
    listing = subprocess.run(
        ["ps", "-axo", "pid=,ppid="],
        capture_output=True,
        text=True,
        errors="replace",
        check=True,
        timeout=10,
    )
    pairs = (line.split() for line in listing.stdout.splitlines())
    return {int(pid): int(parent) for pid, parent in pairs}


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def tree_stat_fields(leader: Process) -> dict[int, list[str]] | None:
    """`stat_fields` of a process and those below it, by pid, parents first.

    Returns:
        None if it is gone or can't be looked at.
    """
    if not leader.is_local or not leader.is_alive:
        return None
    stats = {pid: stat_fields(pid) for pid in (leader.pid, *descendants(leader.pid))}
    known = {pid: fields for pid, fields in stats.items() if fields is not None}
    return known if leader.pid in known else None
