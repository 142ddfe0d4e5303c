"""A user's own settings: what they say once for all commands."""

from pcm.config.shapes import OneOf, Record
from pcm.config.structure import ConfigStructure
from pcm.config.trackers import TRACKERS, is_tracker

SETTINGS: ConfigStructure = Record(
    optional={
        "site": (None, str),
        "runs_dir": (None, str),
        "tracker": (None, OneOf(TRACKERS, "tracker", is_tracker)),
        "account": (None, str),
        "notify": (None, str, [str]),
        "preload": (None, [str]),
    }
)
"""`~/.config/pcm/config.yaml`."""
