"""What training says to a person, beside its records: lines in the rank's log."""

import sys
from contextlib import suppress

from pcm.secret_values import scrub

MARK = "pcm: "
"""How our lines begin."""


def tell(message: str) -> None:
    """Print one message, marked as ours, to standard error."""
    # The log may be on the very disk whose trouble is told: that must not end training.
    with suppress(OSError):
        print(scrub(f"{MARK}{message}"), file=sys.stderr, flush=True)
