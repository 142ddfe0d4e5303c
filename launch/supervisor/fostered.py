"""A training process inside an image, forked there for a supervisor that stays outside.

Its parent is a keeper, see `pcm.nursery.keeper`, and gets to know of our end by the socket.
"""

import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from typing import Any

from launch.container.environment import variables_inside
from launch.supervisor.attempt import Attempt
from launch.supervisor.forked import ColdError
from pcm.nursery.keeper import GO
from pcm.nursery.orders import Orders
from pcm.nursery.surroundings import umask_now
from pcm.nursery.tie import peer_user

ANSWER_S = 15.0
"""For a fork, which takes a hundredth of a second."""

_LOOK_S = 0.01
"""The kernel tells of an end a moment before the keeper does."""


class Fostered:
    """The supervisor's end of it.

    Attributes:
        pid: the same inside and outside, see `launch.local.inside`.
    """

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid = pid
        self._channel = channel
        self._largest_kb: int | None = None

    def has_ended(self) -> bool:
        """Whether its keeper has told how it ended, or is gone, which ends it."""
        return bool(select.select([self._channel], [], [], _LOOK_S)[0])

    def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal."""
        with self._channel:
            answer = _answer(self._channel)
        if answer is None:
            return -signal.SIGKILL
        self._largest_kb = answer["largest_kb"]
        return int(answer["code"])

    def largest_mb(self) -> int | None:
        """The most memory that one of its processes had."""
        return None if self._largest_kb is None else self._largest_kb >> 10


def orders_inside(attempt: Attempt, rank: int, outer: Mapping[str, str]) -> Orders:
    """What a rank's own `apptainer` would have its training do.

    Args:
        outer: variables of that `apptainer`.
    """
    return Orders(
        attempt.arguments,
        variables_inside(outer),
        str(attempt.files.log(rank)),
        str(attempt.run_dir.path),
        umask_now(),
    )


def ask_for_training(nursery: str, orders: Orders) -> Fostered:
    """Have a training process forked, which follows the orders.

    Args:
        nursery: the name of its socket.

    Raises:
        ColdError: that can't be, or must not be.
    """
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        channel.settimeout(ANSWER_S)
        channel.connect(f"\0{nursery}")
        _require_own(channel)
        channel.sendall(orders.text())
        answer = _answer(channel)
        if answer is None:
            raise ColdError("the process that forks has ended")
        if answer["cold"] is not None:
            raise ColdError(answer["cold"])
        # Without this word, it ends: nobody else trains if we give up before.
        channel.sendall(GO)
    except TimeoutError:
        channel.close()
        raise ColdError(f"the process that forks gave no answer in {ANSWER_S:.0f} s") from None
    except OSError as error:
        channel.close()
        raise ColdError(f"the process that forks can't be asked: {error.strerror}") from error
    except ColdError:
        channel.close()
        raise
    channel.settimeout(None)
    return Fostered(answer["pid"], channel)


def _require_own(channel: socket.socket) -> None:
    """Anybody could listen under a name that has become free."""
    if peer_user(channel) != os.getuid():
        raise ColdError("somebody else answers for the process that forks")


def _answer(channel: socket.socket) -> dict[str, Any] | None:
    try:
        text = channel.recv(1 << 16)
    except ConnectionResetError:
        return None
    answer: dict[str, Any] | None = json.loads(text) if text else None
    return answer
