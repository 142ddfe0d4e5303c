"""How much memory is to be had: of the machine, and of what the job may use."""

from collections.abc import Iterator
from pathlib import Path

_MOUNT = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60
_MOST_LEVELS = 8

_FILES = ("memory.max", "memory.current")
_OLD_FILES = ("memory.limit_in_bytes", "memory.usage_in_bytes")
"""A control group's limit and use, in versions 2 and 1."""


def available_memory(
    machine: Path = Path("/proc/meminfo"),
    membership: Path = Path("/proc/self/cgroup"),
    mount: Path = _MOUNT,
) -> int:
    """Bytes that this process can still have before something is swapped or killed.

    Args:
        machine: what the kernel tells of all memory.
        membership: which control groups this process is in; a job's limits are theirs.
        mount: where control groups are.

    Returns:
        0 where the kernel doesn't tell.
    """
    left = [_of_machine(machine)]
    left += [_left_in(folder, files) for folder, files in _groups(membership, mount)]
    return max(0, min(left))


def _of_machine(file: Path) -> int:
    try:
        for line in file.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 0


def _groups(membership: Path, mount: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Folders of this process' groups and those above them, and the names of their files."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "" or "memory" in controllers.split(","):
            root, files = (mount, _FILES) if controllers == "" else (mount / "memory", _OLD_FILES)
            folder = root / path.lstrip("/")
            yield from ((each, files) for each in (folder, *folder.parents)[:_MOST_LEVELS])


def _left_in(folder: Path, files: tuple[str, str]) -> int:
    """What a group has left; what it holds of files gives way, and counts as left."""
    limit, usage = files
    try:
        most = int((folder / limit).read_text())
        used = int((folder / usage).read_text())
        facts = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        of_files = int(facts["inactive_file"])
    except (OSError, ValueError, KeyError):
        # No such group, or `max`: no limit here.
        return _UNLIMITED
    return most - used + of_files
