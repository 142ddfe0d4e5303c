"""Whether the kernel killed a process of this job for its memory, from its control group."""

import socket
from pathlib import Path

from launch.damage import whole
from pcm.run_dir import AttemptDir
from pcm.run_dir.records import KilledCompanionsRecord
from pcm.run_dir.typed_json import read

_MOUNT = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def count_oom_kills(membership: Path = _MEMBERSHIP, mount: Path = _MOUNT) -> int:
    """Processes of the calling process' control group that were killed for lack of memory.

    Args:
        membership: which groups it is in, as the kernel tells.
        mount: where control groups are.

    Returns:
        0 where nothing counts them.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return 0
    counts = (_count(line, mount) for line in lines)
    return max((count for count in counts if count is not None), default=0)


def count_killed_companions(files: AttemptDir) -> int:
    """Processes beside training that were killed and that this control group may have counted."""
    record = whole(read(KilledCompanionsRecord, files.killed_companions))
    if record is None or record.host != socket.gethostname():
        return 0
    try:
        is_shared = _MEMBERSHIP.read_text() == record.control_group
    except OSError:
        return 0
    return len(record.names) if is_shared else 0


def _count(line: str, mount: Path) -> int | None:
    """What the group in one line, `NUMBER:CONTROLLERS:PATH`, counts."""
    _, controllers, path = line.split(":", 2)
    if controllers == "":  # version 2: one tree for all controllers
        return _read(mount / path.lstrip("/") / "memory.events")
    if "memory" in controllers.split(","):
        return _read(mount / "memory" / path.lstrip("/") / "memory.oom_control")
    return None


def _read(file: Path) -> int | None:
    try:
        pairs = dict(line.split(maxsplit=1) for line in file.read_text().splitlines())
        return int(pairs["oom_kill"])
    except (OSError, ValueError, KeyError):
        return None
