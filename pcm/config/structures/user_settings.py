"""A user's own settings: what they say once for all commands."""

from collections.abc import Iterator

from pcm.config.shapes import Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.structures.notify import OWN_NOTIFY
from pcm.config.structures.preload import PRELOAD
from pcm.config.structures.tracker_list import TRACKER
from pcm.config.wording import shown


def _check_word(text: str) -> Iterator[Finding]:
    if not text.strip() or not text.isprintable():
        yield Finding((), "not understood", shown(text), "a name or a path, on one line")


WORD = Rule(str, _check_word)

SETTINGS: ConfigStructure = Record(
    optional={
        "site": (None, WORD),
        "runs_dir": (None, WORD),
        "tracker": (None, TRACKER),
        "account": (None, WORD),
        "notify": (None, OWN_NOTIFY),
        "preload": (None, PRELOAD),
    }
)
"""`~/.config/pcm/config.yaml`."""
