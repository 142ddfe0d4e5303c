"""Training's end of the line on which it hears its supervisor."""

import os
import socket
import stat
from collections.abc import MutableMapping
from contextlib import suppress

from pcm.run_dir.line import LINE, SILENCE_S, STOP, line_text


class SupervisorLine:
    """Hears when it is time to look for a request to stop."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._is_silent = False

    def listen(self, period: float) -> bool:
        """Wait until it is time to look for the file.

        Args:
            period: seconds between two looks while the supervisor says nothing.

        Returns:
            Whether more may be heard later.
        """
        while True:
            self._channel.settimeout(period if self._is_silent else SILENCE_S)
            try:
                heard = self._channel.recv(4096)
            except TimeoutError:
                self._is_silent = True
                return True
            except OSError:
                return False
            self._is_silent = False
            if not heard or STOP in heard:
                return False

    def hang_up(self) -> None:
        """Let the thread that listens go on at once."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)


def supervisor_line(environment: MutableMapping[str, str]) -> SupervisorLine | None:
    """The line that the calling process was given, for itself alone; None if there is none."""
    text = environment.pop(LINE, "")
    try:
        descriptor = int(text.partition(" ")[0])
        # On its way here somebody may have closed it, and used its number for something else.
        is_it = line_text(descriptor) == text and stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except (OSError, ValueError):
        return None
    if not is_it:
        return None
    channel = socket.socket(fileno=descriptor)
    channel.set_inheritable(False)
    return SupervisorLine(channel)
