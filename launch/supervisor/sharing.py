"""Who of several processes of one user on one machine looks, and how the others hear of it.

Whoever comes first listens at a socket that is no file (Linux alone has such), the others connect
to it. When it ends, however it ends, they hear that at once, and one of them takes its place.
"""

import hashlib
import os
import socket
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress

from pcm.run_dir.line import ALIVE, SILENCE_S

MOST_WAITING = 1024

LARGEST = 1 << 16


class Sharing:
    """One process' part in it.

    Args:
        subject: what is shared; the same text in all of them.
    """

    def __init__(self, subject: str) -> None:
        digest = hashlib.sha256(subject.encode()).hexdigest()[:32]
        self._address = f"\0pcm-{os.getuid()}-{digest}"
        self._listener: socket.socket | None = None
        self._others: list[socket.socket] = []
        self._source: socket.socket | None = None
        self._heard = 0.0

    @property
    def is_told(self) -> bool:
        """Whether another process looks, and has told something a short while ago."""
        return self._source is not None and time.monotonic() < self._heard + SILENCE_S

    def hear(self) -> set[str]:
        """What the one who looks has told since the last call, and nothing if it is this one."""
        if self._listener is None and self._source is None:
            self._find_place()
        if self._listener is not None:
            self._welcome(self._listener)
        return set() if self._source is None else self._listen(self._source)

    def tell(self, words: Iterable[str]) -> None:
        """Tell the others, if it is this one who looks; said again each time, none need be kept."""
        message = ALIVE + " ".join(sorted(words)).encode()
        for other in list(self._others):
            try:
                other.send(message)
            except BlockingIOError:
                pass  # It was stopped by a signal, and will hear the next one.
            except OSError:
                other.close()
                self._others.remove(other)

    def close(self) -> None:
        """Have no part in it any more."""
        for each in (self._listener, self._source, *self._others):
            if each is not None:
                each.close()
        self._listener, self._source, self._others = None, None, []

    def _find_place(self) -> None:
        """Listen, or connect to who does; neither where that can't be, for now or at all."""
        if sys.platform != "linux":
            return
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.settimeout(0.0)
        try:
            made.bind(self._address)
            made.listen(MOST_WAITING)
            self._listener = made
        except OSError:
            self._source = self._connected(made)
            self._heard = time.monotonic()
        if made not in (self._listener, self._source):
            made.close()

    def _connected(self, made: socket.socket) -> socket.socket | None:
        with suppress(OSError):
            made.connect(self._address)
            credentials = made.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            # Anybody may listen there; of another user nothing is believed.
            if struct.unpack("3i", credentials)[1] == os.getuid():
                return made
        return None

    def _welcome(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                other, _ = listener.accept()
                other.settimeout(0.0)
                self._others.append(other)

    def _listen(self, source: socket.socket) -> set[str]:
        words: set[str] = set()
        try:
            while message := source.recv(LARGEST):
                self._heard = time.monotonic()
                words |= set(message.removeprefix(ALIVE).decode().split())
        except BlockingIOError:
            return words
        except OSError:
            pass
        # It has ended: somebody else has to look from now on.
        source.close()
        self._source = None
        return words
