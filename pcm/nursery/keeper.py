"""The parent of a forked training whose supervisor is outside of its image, and can't be.

A supervisor's orders come by a socket, and how training ended goes back by it. Where the
supervisor is gone, or wants it so, training is killed; where the keeper is, the kernel does it.
So neither needs the process that both were forked from.
"""

import json
import os
import select
import signal
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pcm.nursery.loaded import LoadedCode
from pcm.nursery.orders import Orders, first_difference, take_on
from pcm.nursery.tie import die_with, kill_session, start_time

LARGEST = 1 << 18
"""Bytes of orders: an environment and a few words."""

GO = b"+"
"""A supervisor's word once it knows whom it has got; without it nothing is trained."""


class Keeper:
    """Forks one training and stays until it has ended.

    Args:
        channel: to its supervisor.
        loaded_with: variables of the process that libraries were loaded in.
        kept: open files that its libraries rely on.
    """

    def __init__(
        self, channel: socket.socket, loaded_with: Mapping[str, str], kept: set[int]
    ) -> None:
        self._channel = channel
        self._loaded_with = loaded_with
        self._kept = kept

    def keep(self, code: LoadedCode) -> Orders:
        """Returns in the training process alone: with its orders, which it has taken on."""
        text = self._channel.recv(LARGEST)
        if not text:
            os._exit(0)
        orders = Orders.parse(text)
        objection = self._objection(orders, code)
        if objection is not None:
            self._tell(cold=objection)
            os._exit(0)
        go, its_go = os.pipe()
        keeper = os.getpid()
        pid = os.fork()
        if pid == 0:
            die_with(keeper)
            os.setsid()
            os.close(its_go)
            if not os.read(go, 1):
                os._exit(0)
            take_on(self._completed(orders), self._kept)
            return orders
        os.close(go)
        self._watch(pid, its_go)
        os._exit(0)

    def _completed(self, orders: Orders) -> Orders:
        """With the variables that are the image's own, or that libraries set as they are loaded."""
        place = {} if orders.folder is None else {"PWD": orders.folder}
        return replace(orders, environment={**os.environ, **orders.environment, **place})

    def _objection(self, orders: Orders, code: LoadedCode) -> str | None:
        if (file := code.edited()) is not None:
            return f"{file} was edited"
        if orders.folder is not None and not Path(orders.folder).is_dir():
            return f"the image that was started shows nothing of {orders.folder}"
        # All others are the image's, and a fresh process has them as well.
        return first_difference(orders.environment, self._loaded_with, {*orders.environment})

    def _watch(self, pid: int, go: int) -> None:
        """Let it train while the supervisor wants it to, and tell how it ended."""
        end = os.pidfd_open(pid)
        self._tell(cold=None, pid=pid, started=start_time(pid))
        if self._channel.recv(1) == GO:
            os.write(go, GO)
            select.select([self._channel.fileno(), end], [], [])
        if not select.select([end], [], [], 0.0)[0]:
            os.kill(pid, signal.SIGKILL)
        # As long as nobody has fetched its exit code, nobody else can have got its id.
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        kill_session(pid)
        _, status, usage = os.wait4(pid, 0)
        self._tell(code=os.waitstatus_to_exitcode(status), largest_kb=usage.ru_maxrss)

    def _tell(self, **words: Any) -> None:
        try:
            self._channel.sendall(json.dumps(words).encode())
        except OSError:
            # The supervisor is gone; what then is to be done is done after that.
            return
