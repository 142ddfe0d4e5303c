"""Whether the kernel killed a process of this job for its memory, from its control group."""

from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")


def count_oom_kills(membership: Path = Path("/proc/self/cgroup"), mount: Path = _MOUNT) -> int:
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
