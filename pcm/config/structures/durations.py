"""A stretch of time as Lightning writes one: `DD:HH:MM:SS`, or a mapping of timedelta's words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pcm.config.inspection import Finding, Findings, Inspector, Shape
from pcm.config.shapes import NOT_NEGATIVE, Record
from pcm.config.wording import shown

_TEXT = re.compile(r"(\d{1,5}):(\d\d):(\d\d):(\d\d)")
_WORDS = Record(
    optional=dict.fromkeys(
        ("weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds"),
        NOT_NEGATIVE,
    )
)
_LONGEST_DAYS = 100_000


@dataclass(frozen=True, eq=False)
class Duration(Shape):
    """A string `DD:HH:MM:SS` or a mapping, longer than nothing."""

    def _inspect(self, value: Any, inspector: Inspector) -> Findings:
        if isinstance(value, dict) and (findings := inspector.inspect(value, _WORDS)):
            return findings
        if not isinstance(value, str | dict):
            return inspector.inspect(value, str)
        length = duration(value)
        if length is None or not timedelta() < length <= timedelta(days=_LONGEST_DAYS):
            return [Finding((), "not a stretch of time", shown(value), str(self))]
        return ()

    def __str__(self) -> str:
        return "DD:HH:MM:SS, or a mapping such as {hours: 1, minutes: 30}"


DURATION = Duration()


def duration(value: str | Mapping[str, float]) -> timedelta | None:
    """The time that a string or a mapping stands for; None if it stands for none."""
    if isinstance(value, str):
        match = _TEXT.fullmatch(value.strip())
        if match is None:
            return None
        days, hours, minutes, seconds = map(int, match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return timedelta(**value)
    except (OverflowError, TypeError):
        return None
