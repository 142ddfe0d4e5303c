"""The line between a supervisor and its training process: what is said on it, and how it is found.

On it training hears of a request to stop, so that it has no file to look for again and again.
It may be missing, and whoever talks may fall silent: then training looks for the file itself.
"""

import os

LINE = "PCM_SUPERVISOR_LINE"
"""Environment variable: the number of training's end, an open socket, and its inode."""

ALIVE = b"."
"""Said once a second."""

STOP = b"s"
"""Said with it as long as a stop is asked for."""

SILENCE_S = 5.0
"""After so long without a word, whoever listens looks for itself: a supervisor may be stopped by a
signal, or stand still with its file server."""


def line_text(descriptor: int) -> str:
    """What the variable says of an open socket. Numbers are used again, inodes are not so soon."""
    return f"{descriptor} {os.fstat(descriptor).st_ino}"
