"""The line between a supervisor and its training process: where it is, and what is said on it.

On it training hears of a request to stop, so that it has no file to look for again and again.
It may be missing, and whoever talks may fall silent: then training looks for the file itself.
"""

import hashlib
import os
from pathlib import Path

ALIVE = b"."
"""Said once a second."""

STOP = b"s"
"""Said with it as long as a stop is asked for."""

SILENCE_S = 5.0
"""After so long without a word, whoever listens looks for itself: a supervisor may be stopped by a
signal, or stand still with its file server."""


def line_of(attempt: Path, rank: int) -> str:
    """The address at which the supervisor of a rank tells its training process."""
    return _address(attempt, f"rank {rank}")


def node_line_of(attempt: Path) -> str:
    """The address at which one supervisor of a node tells the others."""
    return _address(attempt, "node")


def _address(attempt: Path, place: str) -> str:
    """Of a socket that is no file, which Linux alone has; the same inside an image and out here.

    Another container may have the same path, with other files behind it, and no network of its own.
    """
    subject = f"{os.path.abspath(attempt)} {attempt.stat().st_ino} {place}"  # noqa: PTH100
    return "\0pcm-" + hashlib.sha256(os.fsencode(subject)).hexdigest()[:32]
