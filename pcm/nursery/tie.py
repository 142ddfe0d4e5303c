"""What ties processes to one another, as the kernel of Linux tells and does it."""

import ctypes
import os
import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1

_SESSION, _START = 3, 19
"""Fields of /proc/PID/stat, counted after the command's name."""

Prctl = Callable[[int, int], int]


def die_with(parent: int, prctl: Prctl | None = None) -> None:
    """Let the kernel kill this process if its parent is killed.

    Args:
        prctl: the kernel's function, where looking for it now would come too late.
    """
    (prctl or ctypes.CDLL(None).prctl)(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def kill_session(leader: int) -> None:
    """SIGKILL all processes of a session; nobody may have fetched its leader's exit code yet."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(_stat_fields(folder)[_SESSION]) == leader:
                os.kill(int(folder.name), signal.SIGKILL)


def start_time(pid: int) -> str:
    """When a process began, in clock ticks since boot, as the kernel tells it."""
    return _stat_fields(Path(f"/proc/{pid}"))[_START]


def peer_user(channel: socket.socket) -> int:
    """Whose process is at the other end of a local socket."""
    credentials = struct.Struct("3i")
    found = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    _, user, _ = credentials.unpack(found)
    return int(user)


def _stat_fields(folder: Path) -> list[str]:
    """The fields of a process' `stat` after the command's name, which may hold anything."""
    return (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
