"""Who of several processes of one user on one machine looks, and how the others hear of it.

Whoever comes first listens at a socket that is no file (Linux alone has such), the others connect
to it. When it ends, however it ends, they hear that at once, and one of them takes its place.
"""

import socket
import sys
import time
from collections.abc import Iterable

from launch.machine.listening import Listener, peer_is_ours
from pcm.run_dir.line import ALIVE, SILENCE_S

LARGEST = 1 << 16


class Sharing:
    """One process' part in it.

    Args:
        address: the same for all of them, see `pcm.run_dir.line`.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._listener: Listener | None = None
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
            self._listener.welcome()
        return set() if self._source is None else self._listen(self._source)

    def tell(self, words: Iterable[str]) -> None:
        """Tell the others, if it is this one who looks; said again each time, none need be kept."""
        if self._listener is not None:
            self._listener.tell(ALIVE + " ".join(sorted(words)).encode())

    def close(self) -> None:
        """Have no part in it any more."""
        for each in (self._listener, self._source):
            if each is not None:
                each.close()
        self._listener, self._source = None, None

    def _find_place(self) -> None:
        """Listen, or connect to who does; neither where that can't be, for now or at all."""
        listener = Listener(self._address)
        if listener.is_open:
            self._listener = listener
        elif sys.platform == "linux":
            self._source, self._heard = self._connected(), time.monotonic()

    def _connected(self) -> socket.socket | None:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        made.settimeout(0.0)
        try:
            made.connect(self._address)
            if peer_is_ours(made):
                return made
        except OSError:
            pass
        made.close()
        return None

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
