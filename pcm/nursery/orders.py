"""What a forked process is to do, and how it becomes what a fresh one would be."""

import atexit
import json
import os
import runpy
import shutil
import sys
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pcm.run_dir import GPUS_ASKED
from pcm.run_dir.trust import open_private

RANKS_OWN = {
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR"),
    *("CUDA_VISIBLE_DEVICES", GPUS_ASKED),
}
"""Variables that nobody reads before training begins. All others may matter to a library as it is
loaded: how many threads it has, what it does about rounding."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What to train, and as whom.

    Attributes:
        environment: all variables that it is to have.
        folder: its working directory; None for that of the process it was forked from.
        umask: None for that of the process it was forked from.
    """

    arguments: list[str]
    environment: dict[str, str]
    log: str
    folder: str | None = None
    umask: int | None = None

    @classmethod
    def parse(cls, text: bytes) -> "Orders":
        """The orders that `text` of others came to."""
        return cls(**json.loads(text))

    def text(self) -> bytes:
        """For a socket."""
        return json.dumps(asdict(self)).encode()

    def follow(self) -> None:
        """Train, as `python -m pcm` would; the process ends with this.

        For the place of its code where nothing is to be undone.
        """
        sys.argv = ["pcm", *self.arguments]
        runpy.run_module("pcm", run_name="__main__", alter_sys=True)


def first_difference(
    environment: Mapping[str, str], loaded_with: Mapping[str, str], names: set[str]
) -> str | None:
    """Why libraries that were loaded with other variables can't serve; None if they can.

    Args:
        names: of the variables to compare; those that are a rank's own don't matter.
    """
    other = (each for each in names if environment.get(each) != loaded_with.get(each))
    name = min({*other} - RANKS_OWN, default=None)
    return None if name is None else f"{name} is not what torch was loaded with"


def take_on(orders: Orders, kept: set[int]) -> None:
    """Make of this process what a fresh one with these orders would be.

    Args:
        kept: open files that its libraries rely on.
    """
    os.environ.clear()
    os.environ.update(orders.environment)
    if orders.umask is not None:
        os.umask(orders.umask)
    if orders.folder is not None:
        os.chdir(orders.folder)
    print_to(Path(orders.log))
    for descriptor in open_files() - kept - {0, 1, 2}:
        os.close(descriptor)
    _leave_shared_files()
    if (numpy := sys.modules.get("numpy")) is not None:
        # Python's own generator does this by itself; torch's always begins with the same seed.
        numpy.random.seed()


def _leave_shared_files() -> None:
    """Remove nothing at the end of this process that there was before it: others use that, too.

    matplotlib makes a folder where it can't write to a home, to be removed at the end.
    """
    for remove in (shutil.rmtree, os.remove, os.unlink, os.rmdir):
        atexit.unregister(remove)
    # Of a `TemporaryDirectory`; Python has no public way to all of them.
    for each in list(getattr(weakref.finalize, "_registry", ())):
        each.atexit = False


def print_to(log: Path) -> None:
    """Let the calling process, and its children, read nothing and add what they print to a file."""
    streams = [os.open(os.devnull, os.O_RDONLY)]
    streams.append(open_private(str(log), os.O_WRONLY | os.O_APPEND | os.O_CREAT))
    for target, source in enumerate([*streams, streams[-1]]):
        os.dup2(source, target)
    for descriptor in streams:
        os.close(descriptor)


def open_files() -> set[int]:
    """The calling process' open files, by number."""
    listed = [path.name for path in Path("/proc/self/fd").iterdir()]
    # What the listing itself had open is closed by now.
    return {int(name) for name in listed if Path("/proc/self/fd", name).exists()}
