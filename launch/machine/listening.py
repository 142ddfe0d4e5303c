"""A socket that is no file, at which other processes of the same user hear something."""

import os
import socket
import struct
import sys
from contextlib import suppress

MOST_WAITING = 1024


def peer_is_ours(channel: socket.socket) -> bool:
    """Whether the process at the other end is of this user: anybody may listen or connect."""
    credentials = channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int(struct.unpack("3i", credentials)[1]) == os.getuid()


class Listener:
    """Tells whoever connects.

    Args:
        address: see `pcm.run_dir.line`.
    """

    def __init__(self, address: str) -> None:
        self._heard_by: list[socket.socket] = []
        self._socket: socket.socket | None = None
        if sys.platform != "linux":
            return
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.settimeout(0.0)
        try:
            made.bind(address)
            made.listen(MOST_WAITING)
            self._socket = made
        except OSError:
            made.close()

    @property
    def is_open(self) -> bool:
        """Whether it listens; nobody else did, and this system can do so."""
        return self._socket is not None

    def tell(self, message: bytes) -> None:
        """Say something to all who have connected, without waiting for anybody."""
        self.welcome()
        for each in list(self._heard_by):
            try:
                each.send(message)
            except BlockingIOError:
                pass  # It was stopped by a signal, or is busy, and will hear a later one.
            except OSError:
                each.close()
                self._heard_by.remove(each)

    def welcome(self) -> None:
        """Let those in who have connected, without waiting for any."""
        with suppress(OSError):
            while self._socket is not None:
                channel, _ = self._socket.accept()
                channel.settimeout(0.0)
                if peer_is_ours(channel):
                    self._heard_by.append(channel)
                else:
                    channel.close()

    def close(self) -> None:
        """Tell nobody any more."""
        for each in [*self._heard_by, *([self._socket] if self._socket else [])]:
            each.close()
        self._heard_by, self._socket = [], None
