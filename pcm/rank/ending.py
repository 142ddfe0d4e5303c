"""The end of a training process: everything but taking its libraries apart.

Python clears torch, Lightning and all they hold one by one when it ends, for a second and a
half. Nobody misses it: the kernel frees memory and GPUs at once.

Importing this early lets its hook of `atexit` come last, after those of all libraries.
"""

import atexit
import logging
import os
import sys
from contextlib import suppress
from typing import NoReturn

_codes: list[int] = []


def leave(code: int) -> NoReturn:
    """End the process with an exit code.

    Threads that aren't daemons are waited for and hooks of `atexit` are run, as ever. Of the
    hooks those alone are left out that were there before this module was.
    """
    _codes.append(code)
    sys.exit(code)


def flush() -> None:
    """Hand on what was logged and printed; a full disk, or a closed stream, can't have it."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def _leave_at_once() -> None:
    if _codes:
        flush()
        os._exit(_codes[-1])


atexit.register(_leave_at_once)
