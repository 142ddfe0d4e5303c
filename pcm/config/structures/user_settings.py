"""A user's own settings: what they say once for all commands."""

from pcm.config.shapes import Record
from pcm.config.structure import ConfigStructure
from pcm.config.structures.notify import OWN_NOTIFY
from pcm.config.structures.preload import PRELOAD
from pcm.config.structures.tracker_list import TRACKER

SETTINGS: ConfigStructure = Record(
    optional={
        "site": (None, str),
        "runs_dir": (None, str),
        "tracker": (None, TRACKER),
        "account": (None, str),
        "notify": (None, OWN_NOTIFY),
        "preload": (None, PRELOAD),
    }
)
"""`~/.config/pcm/config.yaml`."""
