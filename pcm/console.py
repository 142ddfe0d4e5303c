"""What training says to a person, beside its records: lines in the rank's log."""

import sys

from pcm.config.secrets import scrub


def tell(message: str) -> None:
    """Print one message, marked as ours, to standard error."""
    print(scrub(f"pcm: {message}"), file=sys.stderr, flush=True)
