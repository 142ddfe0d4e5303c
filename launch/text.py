"""Numbers, durations, counts and paths of configs, short enough for a table."""

import json
import math
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

LONGEST_S = 1e13
"""No duration is longer, nor anything that Python takes for one."""

_YAML_WORDS = {None: "null", True: "true", False: "false"}

_WRAPPERS = ("cfg", "kwargs", "init_args")
"""Keys that are on the way to everything and tell nothing apart."""


def number(value: float | None) -> str:
    """Four significant digits; empty for None."""
    if value is None:
        return ""
    if isinstance(value, int) and abs(value) > sys.float_info.max:
        return "inf"
    if not math.isfinite(value):
        return str(value)
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e6 else f"{value:.4g}"


def word(value: Any) -> str:
    """A value of a config as YAML writes it: `null` and `true`, texts without quotes."""
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, default=str, ensure_ascii=False)
    return _YAML_WORDS[value] if value is None or isinstance(value, bool) else str(value)


def duration(seconds: float | None) -> str:
    """The two largest units, e.g. `1d 3h`, `4m 05s`; empty for None."""
    if seconds is None or not abs(seconds) < LONGEST_S:
        return ""
    whole = timedelta(seconds=max(0, round(seconds)))
    hours, minutes, rest = whole.seconds // 3600, whole.seconds // 60 % 60, whole.seconds % 60
    if whole.days:
        return f"{whole.days}d {hours}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {rest:02}s" if minutes else f"{rest}s"


def span(seconds: float) -> str:
    """In one unit, for a sentence: `75 s`, `3 min`, `2.5 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def minute(seconds: float | None) -> str:
    """Date and time of day, of seconds since the epoch; empty where they are no such time."""
    if not seconds:
        return ""
    try:
        return f"{datetime.fromtimestamp(seconds):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError, OSError):
        return ""


def counted(count: int, noun: str) -> str:
    """`1 experiment`, `2 experiments`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def first_of(names: Sequence[str], most: int) -> str:
    """`a, b`, or of very many the first and how many there are besides: `a, b and 998 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most:,} more"


def tally(states: Iterable[str]) -> str:
    """How many are in each state, the most frequent first: `3 running, 1 done`."""
    return ", ".join(f"{count:,} {state}" for state, count in Counter(states).most_common())


def short_labels(paths: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """A name for each path: its last parts, as few as tell it from the others.

    Args:
        taken: names that stand for something else.
    """
    parts = {path: [word for word in path.split(".") if word not in _WRAPPERS] for path in paths}
    labels = {path: path for path in parts}
    for length in range(max(map(len, parts.values()), default=0), 0, -1):
        ends = {path: ".".join(words[-length:]) for path, words in parts.items()}
        count = Counter(ends.values())
        labels |= {path: end for path, end in ends.items() if count[end] == 1 and end not in taken}
    return labels
