"""How all ranks decide together, cheaply, what to do between two steps, and get what rank 0 has."""

import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any, Protocol, TypeVar

import torch
import torch.distributed as dist

T = TypeVar("T")

_EXCHANGE_SECONDS = 0.1
_MOST_STEPS = 100


class Wish(IntEnum):
    """What rank 0 wants to happen at the next opportunity."""

    GO_ON = 0
    SAVE = 1
    STOP = 2


class Agreement(Protocol):
    """Turns rank 0's wish into a decision that all ranks take at the same step."""

    def poll(self) -> Wish:
        """Called by all ranks after every step; never waits for the step of another."""

    def settle(self) -> Wish:
        """Called by all ranks at an epoch's boundary: decides at once."""


class Alone:
    """The agreement of a single rank: its wish."""

    def __init__(self, wish: Callable[[], Wish]) -> None:
        self.poll = wish
        self.settle = wish


class Together:
    """Rank 0's wish, broadcast on a CPU group and read one step later.

    No GPU is synchronised, and no rank waits for another's step. With fast steps the
    exchange takes place only every 0.1 s or so: rank 0 says with each message how many
    steps later the next one is due.

    Args:
        group: a gloo group of all ranks, which use it in one order.
        wish: asked on rank 0 alone.
    """

    def __init__(self, group: dist.ProcessGroup, rank: int, wish: Callable[[], Wish]) -> None:
        self._group = group
        self._is_first = rank == 0
        self._wish = wish
        self._message = torch.zeros(2, dtype=torch.int64)
        self._under_way: Any = None
        self._quiet_steps = 0
        self._steps = 0
        self._clock = time.monotonic()

    def poll(self) -> Wish:
        """Read the exchange that is under way, or begin one if it is time."""
        self._steps += 1
        if self._under_way is not None:
            return self._read()
        if self._quiet_steps > 0:
            self._quiet_steps -= 1
        else:
            self._send()
        return Wish.GO_ON

    def settle(self) -> Wish:
        """Finish what is under way, then exchange and wait."""
        if self._under_way is not None:
            self._read()
        self._send()
        return self._read()

    def _send(self) -> None:
        if self._is_first:
            self._message[0] = self._wish()
            self._message[1] = self._pause()
        self._under_way = dist.broadcast(self._message, 0, group=self._group, async_op=True)

    def _read(self) -> Wish:
        self._under_way.wait()
        self._under_way = None
        wish, self._quiet_steps = self._message.tolist()
        return Wish(wish)

    def _pause(self) -> int:
        """Steps until the next exchange, from the time that steps took since the last."""
        now = time.monotonic()
        seconds_per_step = (now - self._clock) / max(1, self._steps)
        self._clock, self._steps = now, 0
        return min(_MOST_STEPS, int(_EXCHANGE_SECONDS / max(seconds_per_step, 1e-6)))


def agreement_of(wish: Callable[[], Wish], group: dist.ProcessGroup | None, rank: int) -> Agreement:
    """That of all ranks; of one, where there is no group."""
    return Alone(wish) if group is None else Together(group, rank, wish)


def of_first(mine: T, group: dist.ProcessGroup | None) -> T:
    """What rank 0 has, on all ranks: others may see an older state of a shared file system."""
    shared = [mine]
    if group is not None:
        dist.broadcast_object_list(shared, src=0, group=group)
    return shared[0]
