"""Training's end of the line on which it hears its supervisor."""

import socket
import sys
from contextlib import suppress

from pcm.run_dir.line import SILENCE_S, STOP, is_ours


class SupervisorLine:
    """Hears when it is time to look for a request to stop.

    Args:
        address: of the supervisor.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._channel: socket.socket | None = None
        self._patience_s = SILENCE_S
        self._is_over = sys.platform != "linux"

    def listen(self, period: float) -> bool:
        """Wait until it is time to look for the file.

        Args:
            period: seconds between two looks while the supervisor says nothing.

        Returns:
            False, at once, if nobody is to be heard.
        """
        if self._is_over or not self._is_connected():
            return False
        while (heard := self._next()) is not None:
            if not heard or STOP in heard:
                # It is gone, or has said all that matters: what is left is to look.
                self._hang_up()
                self._is_over = STOP in heard
                return True
            self._patience_s = SILENCE_S
        self._patience_s = period
        return True

    def leave(self) -> None:
        """Let the thread that listens go on at once, and hear nothing any more."""
        self._is_over = True
        if self._channel is not None:
            with suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)

    def _next(self) -> bytes | None:
        """The next word, b"" for the end of them, None for silence."""
        if self._channel is None or self._is_over:
            return b""
        self._channel.settimeout(self._patience_s)
        try:
            return self._channel.recv(4096)
        except TimeoutError:
            return None
        except OSError:
            return b""

    def _is_connected(self) -> bool:
        if self._channel is None:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                made.connect(self._address)
                self._channel = made if is_ours(made) else None
            except OSError:
                pass
            if self._channel is None:
                made.close()
            self._patience_s = SILENCE_S
        return self._channel is not None

    def _hang_up(self) -> None:
        if self._channel is not None:
            self._channel.close()
        self._channel = None
