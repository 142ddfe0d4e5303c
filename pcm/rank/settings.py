"""What a user may set by environment variable, which wins over any file."""

import os

from pcm.errors import UsageError
from pcm.run_dir.checkpointing import Checkpointing

_CHECKPOINTS = "PCM_CHECKPOINT_MINUTES"


def minutes(name: str, default: float) -> float:
    """A positive number of minutes.

    Raises:
        UsageError: the variable holds something else.
    """
    text = os.environ.get(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = 0.0
    if value > 0:
        return value
    raise UsageError(f"{name}={text!r} is no positive number of minutes")


def checkpoint_minutes(wanted: Checkpointing) -> float | None:
    """Between two checkpoints inside an epoch: PCM_CHECKPOINT_MINUTES, else what files say.

    Returns:
        None where they say it otherwise, see `Checkpointing.every`.
    """
    if _CHECKPOINTS in os.environ:
        return minutes(_CHECKPOINTS, 0)
    return wanted.minutes


def rendezvous_seconds() -> float:
    """For all ranks to be there: PCM_RENDEZVOUS_MINUTES, 15 minutes.

    Images and packages load slowly on a busy file system.
    """
    return 60 * minutes("PCM_RENDEZVOUS_MINUTES", 15)


def collective_seconds() -> float:
    """For the slowest rank in a collective operation: PCM_COLLECTIVE_MINUTES, 30 minutes."""
    return 60 * minutes("PCM_COLLECTIVE_MINUTES", 30)
