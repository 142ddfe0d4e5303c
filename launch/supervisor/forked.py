"""A training process that was forked before it was wanted, with torch in its memory.

It is the child of its supervisor, as one that is started afresh would be: so the kernel ties
the two together, and its end is waited for in the same way.
"""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.machine.processes import has_ended, largest_child_mb
from pcm.nursery.orders import Orders, first_difference, take_on


class ColdError(Exception):
    """Why training processes must be started afresh."""


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
        names = {*environment, *self.loaded_with}
        return first_difference(environment, self.loaded_with, names)

    def begin(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> bool:
        """Let it train; False if it is gone."""
        orders = Orders([*arguments], {**environment}, str(log))
        try:
            with self.channel:
                # From its first word on it leads a session, which can be killed as a whole.
                if not self.channel.recv(1):
                    return False
                self.channel.sendall(orders.text())
        except OSError:
            return False
        return True

    def dismiss(self) -> None:
        """Let it end, having done nothing."""
        self.channel.close()
        self.wait()

    def has_ended(self) -> bool:
        """Whether it has ended; its exit code is still to be had."""
        return has_ended(self.pid)

    def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal, as `Popen` has it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def largest_mb(self) -> int | None:
        """The most memory that one of its processes had."""
        return largest_child_mb()


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
    take_on(orders, kept)
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
    return Orders.parse(b"".join(parts))
