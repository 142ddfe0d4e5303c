"""What training says to a person, beside its records: lines in the rank's log."""

import sys


def tell(message: str) -> None:
    """Print one message, marked as ours, to standard error."""
    print(f"pcm: {message}", file=sys.stderr, flush=True)
