"""An experiment's metrics over its steps, and what its clock said meanwhile."""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from launch.damage import notice
from pcm.run_dir import Row, read_journal

LONGEST = 1000
"""Points that are kept of a curve: more than a page has pixels for one."""

TOGETHER = 2_000_000
"""Points that are kept of a metric: of very many curves fewer each, or no browser shows them."""

SHORTEST = 100
"""Points that are kept of a curve among ever so many."""

KNOTS = 32
"""Points that are kept of a clock, which is nearly straight."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One metric; the steps ascend."""

    steps: Sequence[int]
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Clock:
    """Epochs and hours of training at some steps, straight between them."""

    steps: list[int] = field(default_factory=list)
    epochs: list[int] = field(default_factory=list)
    hours: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Curves:
    """All metrics of an experiment, by name."""

    metrics: dict[str, Curve] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)


class CurvesReader:
    """Reads journals, each again only where it has grown: for those who look again and again."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int, int], Curves]] = {}

    def read(self, journal: Path, longest: int = LONGEST) -> Curves:
        """The curves of a journal so far; none where there is no journal.

        Args:
            longest: points that are kept of each, see `longest_among`.
        """
        try:
            facts = journal.stat()
        except OSError:
            return Curves()
        key = (facts.st_size, facts.st_mtime_ns, longest)
        kept = self._known.get(journal)
        if kept is None or kept[0] != key:
            kept = self._known[journal] = (key, curves_of(read_journal(journal, notice), longest))
        return kept[1]


def longest_among(experiments: int) -> int:
    """Points that are kept of each of so many experiments' curves."""
    return max(SHORTEST, min(LONGEST, TOGETHER // max(1, experiments)))


def curves_of(rows: Sequence[Row], longest: int = LONGEST) -> Curves:
    """The curves of the rows that count, thinned to what a picture can show."""
    steps: dict[str, list[int]] = {}
    values: dict[str, list[float]] = {}
    for row in rows:
        for name, value in row.values.items():
            if name not in steps:
                steps[name], values[name] = [], []
            steps[name].append(row.step)
            values[name].append(value)
    metrics = {name: _thinned(steps[name], values[name], longest) for name in steps}
    return Curves(metrics, _clock(rows))


def _thinned(steps: list[int], values: list[float], longest: int) -> Curve:
    """The least and the greatest of each stretch of a long curve, so no peak is lost."""
    if len(steps) > longest:
        places = _telling(values, longest)
        steps, values = [steps[place] for place in places], [values[place] for place in places]
    # A quarter of a list's memory, which counts where there are ten thousand experiments.
    try:
        return Curve(array("q", steps), array("d", values))
    except OverflowError:  # a journal may hold any whole number
        return Curve(steps, values)


def _telling(values: Sequence[float], longest: int) -> list[int]:
    """Where a curve's ends, leasts and greatests are."""
    count = longest // 2 - 1
    chosen = {0, len(values) - 1}
    is_whole = math.isfinite(sum(values))
    for index in range(count):
        start, end = index * len(values) // count, (index + 1) * len(values) // count
        if is_whole:
            stretch = values[start:end]
            chosen |= {start + stretch.index(each(stretch)) for each in (min, max)}
            continue
        known = [place for place in range(start, end) if math.isfinite(values[place])] or [start]
        chosen |= {min(known, key=values.__getitem__), max(known, key=values.__getitem__)}
    return sorted(chosen)


def _clock(rows: Sequence[Row]) -> Clock:
    """Hours of training: what passed between two attempts doesn't count."""
    if not rows:
        return Clock()
    hours = list(accumulate(map(_hours_between, rows, rows[1:]), initial=0.0))
    last = len(rows) - 1
    places = sorted({index * last // (KNOTS - 1) for index in range(KNOTS)})
    return Clock(
        [rows[place].step for place in places],
        [rows[place].epoch for place in places],
        [hours[place] for place in places],
    )


def _hours_between(before: Row, after: Row) -> float:
    passed = after.time - before.time
    return passed / 3600 if passed > 0 and before.attempt == after.attempt else 0.0
