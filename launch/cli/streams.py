"""The standard streams as every command may rely on: open, and able to take any name."""

import os
import sys
from contextlib import suppress


def settle_streams() -> None:
    """Open what the caller closed, show what the locale can't, forget a size that is none.

    A closed stream's number would go to the next file that is opened, and output into that.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is taken: this one.
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115 - for all of the process
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # somebody's own stream instead
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("COLUMNS", "LINES"):
        size = os.environ.get(name, "1")
        if not size.isdecimal() or int(size) == 0:
            del os.environ[name]
