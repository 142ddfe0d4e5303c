"""`checkpoints:` of a grid and of a trainer file: how often, which are kept, which is the best."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.shapes import COUNT, POSITIVE, Number, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding
from pcm.config.wording import shown


def _check_mode(checkpoints: Mapping[str, Any]) -> Iterator[Finding]:
    mode = checkpoints.get("mode")
    if mode is not None and checkpoints.get("monitor") is None:
        expected = "`monitor: METRIC` beside it"
        yield Finding(("mode",), "a mode of no metric", shown(mode), expected)


CHECKPOINTS: ConfigStructure = Rule(
    Record(
        optional={
            "minutes": (None, POSITIVE),
            "keep": (None, COUNT),
            "monitor": (None, str),
            "mode": (None, OneOf(("min", "max"), "mode")),
            "keep_best": (None, Number(int, low=0)),
        }
    ),
    _check_mode,
)
