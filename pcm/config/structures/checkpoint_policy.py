"""`checkpoints:` of a grid and of a trainer file: how often, which are kept, which is the best."""

from collections.abc import Iterator, Mapping
from typing import Any

from pcm.config.shapes import COUNT, POSITIVE, Number, OneOf, Record, Rule
from pcm.config.structure import ConfigStructure, Finding, Namespace
from pcm.config.wording import shown
from pcm.run_dir.checkpoint_interval import Interval


def _check_interval(written: Any) -> Iterator[Finding]:
    try:
        Interval.parse(written)
    except ValueError as error:
        yield Finding((), "no interval", shown(written), str(error))


def _check_together(checkpoints: Mapping[str, Any]) -> Iterator[Finding]:
    """What two keys say together."""
    yield from _check_mode(checkpoints)
    minutes = checkpoints.get("minutes")
    if minutes is not None and checkpoints.get("every") is not None:
        hint = "`every: 10m` takes one at an epoch's end only where it is due; `minutes: 10` always"
        yield Finding(("minutes",), "`every` says how often", shown(minutes), hint=hint)


def _check_mode(checkpoints: Mapping[str, Any]) -> Iterator[Finding]:
    mode = checkpoints.get("mode")
    if mode is not None and checkpoints.get("monitor") is None:
        expected = "`monitor: METRIC` beside it"
        yield Finding(("mode",), "a mode of no metric", shown(mode), expected)


CHECKPOINTS: ConfigStructure = Rule(
    Record(
        optional={
            "every": (None, Rule(Namespace, _check_interval)),
            "minutes": (None, POSITIVE),
            "keep": (None, COUNT),
            "monitor": (None, str),
            "mode": (None, OneOf(("min", "max"), "mode")),
            "keep_best": (None, Number(int, low=0)),
        }
    ),
    _check_together,
)
