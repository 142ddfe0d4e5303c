"""The one target that a launch does not write down: a webhook's address is a secret."""

import os

from launch.user_settings import read_settings
from pcm.config.structures.notify import is_url

VARIABLE = "PCM_NOTIFY_WEBHOOK"
"""A webhook's address; else the user's settings have it."""


def webhook_address() -> str | None:
    """The address, from where only its owner can read it; None for none."""
    named = os.environ.get(VARIABLE)
    if named:
        return named
    return next((target for target in read_settings().notify or () if is_url(target)), None)
