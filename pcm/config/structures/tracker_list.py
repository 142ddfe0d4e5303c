"""`tracker:` of a grid file, or of a user's settings: one tracker, or a list of them."""

from pcm.config.shapes import Choice, OneOf, Record
from pcm.config.structure import ConfigStructure
from pcm.config.trackers import TRACKERS, is_tracker

_NAME = OneOf(TRACKERS, "tracker", is_tracker)

_ONE = Choice(
    lambda value: isinstance(value, str), _NAME, Record({"name": _NAME}, {"project": (None, str)})
)

TRACKER: ConfigStructure = Choice(lambda value: isinstance(value, list), [_ONE], _ONE)
"""`mlflow`, `{name: wandb, project: team/vaes}`, or a list of such."""
