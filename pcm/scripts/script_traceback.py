"""What a script died of, as the end of its log tells."""

import os
import re
from contextlib import suppress
from pathlib import Path

from pcm.console import MARK

_END = 1 << 14
"""Bytes of a log that are looked at: a traceback, and what is printed while a program ends."""

_MOST_SHOWN = 200

_TRACEBACK = "Traceback (most recent call last):"

_EXCEPTION = re.compile(r"[A-Za-z_][\w.]*(: .*)?")


def last_exception(log: Path) -> str:
    """E.g. `ValueError: no such digit`; "" where the log ends with no traceback."""
    _, _, last = _end_of(log).rpartition(_TRACEBACK)
    lines = iter(last.splitlines()[1:])
    # The frames are indented, and the first line that isn't names the exception.
    line = next((line for line in lines if line and not line.startswith(" ")), "")
    return line[:_MOST_SHOWN] if _EXCEPTION.fullmatch(line) else ""


def last_words(log: Path) -> str:
    """The last line that a program has printed, as what it says of its use is."""
    lines = [line.strip() for line in _end_of(log).splitlines()]
    said = [line for line in lines if line and not line.startswith(MARK)]
    return said[-1][:_MOST_SHOWN] if said else ""


def _end_of(log: Path) -> str:
    with suppress(OSError), log.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - _END))
        return stream.read().decode(errors="replace")
    return ""
