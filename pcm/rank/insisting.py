"""Trying a few times to write what training can't end well without."""

import time
from collections.abc import Callable

PAUSES_S = (0.5, 1.0, 2.0)
"""Between tries. A file server that restarts and another's large file come and go; whoever has
asked for a stop waits, so that it is not for long."""


def insist(write: Callable[[], None], after_failure: Callable[[OSError], None]) -> None:
    """Write, and write again after an error of the disk.

    Args:
        after_failure: called with the error of a try that another one follows.

    Raises:
        OSError: of the last try.
    """
    for pause in PAUSES_S:
        try:
            write()
        except OSError as error:
            after_failure(error)
            time.sleep(pause)
        else:
            return
    write()
