"""The end of a training process: everything but taking its libraries apart.

Python clears torch, Lightning and all they hold one by one when it ends, for a second and a
half. Nobody misses it: the kernel frees memory and GPUs at once.

Importing this early lets its hook of `atexit` come last, after those of all libraries.
"""

import atexit
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

from pcm.console import tell

TOLD_AFTER_S = 5.0
"""Threads that end in less are nobody's concern."""

PATIENCE_S = 600.0
"""For threads that aren't daemons: they may upload something, or wait for nothing at all."""

_MOST_NAMED = 5

_codes: list[int] = []


def leave(code: int) -> NoReturn:
    """End the process with an exit code.

    Threads that aren't daemons are waited for, with a word and with an end, and hooks of `atexit`
    are run, as ever. Of the hooks those alone are left out that were there before this module was.
    """
    _codes.append(code)
    # Python waits for threads without a limit, and a job would keep its node as long.
    threading.Thread(target=_see_to_the_end, args=(code,), daemon=True).start()
    sys.exit(code)


def _see_to_the_end(code: int) -> None:
    time.sleep(TOLD_AFTER_S)
    names = _lasting_threads() or "a hook of atexit"
    tell(f"training is over; its process still waits for {names}, {PATIENCE_S:.0f} s at most")
    time.sleep(PATIENCE_S)
    tell(f"left without waiting any longer for {names}")
    flush()
    os._exit(code)


def _lasting_threads() -> str:
    """The first few by name; "" for none."""
    main = threading.main_thread()
    names = [each.name for each in threading.enumerate() if not each.daemon and each is not main]
    more = [f"{len(names) - _MOST_NAMED} more"] if len(names) > _MOST_NAMED else []
    return ", ".join([*names[:_MOST_NAMED], *more])


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
