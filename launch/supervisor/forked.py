"""A training process that was forked before it was wanted, with torch in its memory.

It is the child of its supervisor, as one that is started afresh would be: so the kernel ties
the two together, and its end is waited for in the same way.
"""

import json
import os
import runpy
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pcm.run_dir import GPUS_ASKED
from pcm.run_dir.trust import open_private

RANKS_OWN = {
    *("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR"),
    *("CUDA_VISIBLE_DEVICES", GPUS_ASKED),
}
"""Variables that nobody reads before training begins. All others may matter to a library as it is
loaded: how many threads it has, what it does about rounding."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A supervisor's child that waits to be told what to train.

    Attributes:
        loaded_with: the variables that its libraries were loaded with.
    """

    pid: int
    channel: socket.socket
    loaded_with: Mapping[str, str]

    def objection(self, environment: Mapping[str, str]) -> str | None:
        """Why it could not stand in for a fresh process with these variables; None if it could."""
        names = sorted({*environment, *self.loaded_with} - RANKS_OWN)
        other = (name for name in names if environment.get(name) != self.loaded_with.get(name))
        name = next(other, None)
        return None if name is None else f"{name} is not what torch was loaded with"

    def begin(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> bool:
        """Let it train; False if it is gone."""
        orders = {"arguments": list(arguments), "environment": {**environment}, "log": str(log)}
        try:
            with self.channel:
                # From its first word on it leads a session, which can be killed as a whole.
                if not self.channel.recv(1):
                    return False
                self.channel.sendall(json.dumps(orders).encode())
        except OSError:
            return False
        return True

    def dismiss(self) -> None:
        """Let it end, having done nothing."""
        self.channel.close()
        self.wait()

    def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal, as `Popen` has it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@dataclass(frozen=True, slots=True)
class Orders:
    """What a waiting process is to do, for the place of its code where nothing is to be undone."""

    arguments: list[str]
    environment: dict[str, str]
    log: Path

    def follow(self) -> None:
        """Train, as `python -m pcm` would; the process ends with this."""
        sys.argv = ["pcm", *self.arguments]
        runpy.run_module("pcm", run_name="__main__", alter_sys=True)


def fork_waiting(
    prepare: Callable[[], None], kept: set[int], loaded_with: Mapping[str, str]
) -> Waiting | Orders:
    """Fork a process that waits; in it, this returns its orders.

    Args:
        prepare: called in it at once, ties it to the caller.
        kept: open files that its libraries rely on.
    """
    ours, its = socket.socketpair()
    pid = os.fork()
    if pid:
        its.close()
        return Waiting(pid, ours, loaded_with)
    prepare()
    os.setsid()
    ours.close()
    with its:
        orders = _receive(its)
    _take_on(orders, kept)
    return orders


def _receive(channel: socket.socket) -> Orders:
    """Wait for orders; without any, and without its supervisor, it ends."""
    try:
        channel.sendall(b"+")
        parts = list(iter(lambda: channel.recv(1 << 16), b""))
    except OSError:
        parts = []
    if not parts:
        os._exit(0)
    told: dict[str, Any] = json.loads(b"".join(parts))
    return Orders(told["arguments"], told["environment"], Path(told["log"]))


def _take_on(orders: Orders, kept: set[int]) -> None:
    """Make of this process what a fresh one with these orders would be."""
    os.environ.clear()
    os.environ.update(orders.environment)
    print_to(orders.log)
    for descriptor in open_files() - kept - {0, 1, 2}:
        os.close(descriptor)
    if (numpy := sys.modules.get("numpy")) is not None:
        # Python's own generator does this by itself; torch's always begins with the same seed.
        numpy.random.seed()


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
