"""The nursery's end of its socket: a keeper for each supervisor that asks."""

import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress

from pcm.nursery.keeper import Keeper
from pcm.nursery.loaded import LoadedCode
from pcm.nursery.orders import Orders
from pcm.nursery.tie import peer_user

_WAITING = 128
"""Supervisors that may ask at the same moment."""


def listen(name: str) -> socket.socket:
    """An abstract socket: it needs no folder that both sides see, and nobody to remove it."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{name}")
    listener.listen(_WAITING)
    return listener


def serve(
    listener: socket.socket, loaded_with: Mapping[str, str], kept: set[int], code: LoadedCode
) -> Orders:
    """Fork until somebody kills it; returns in training processes alone, with their orders.

    Args:
        loaded_with: variables of this process when libraries were loaded.
        kept: open files that they rely on.
        code: that must not have been edited since.
    """
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        channel, _ = listener.accept()
        # Anybody can find an abstract socket.
        if peer_user(channel) == os.getuid() and os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            return Keeper(channel, loaded_with, kept).keep(code)
        channel.close()


def _reap(*_signal: object) -> None:
    """Forget keepers that have ended: they have told their supervisors all there is."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
