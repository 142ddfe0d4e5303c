"""Results put together: all points that differ in nothing but some axes, such as the seed."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

from launch.results.columns import Named, names_like
from launch.results.rows import Result
from pcm.errors import UsageError

CLEAR = 2.0
"""Standard errors of a difference from which on it is taken for more than noise: about 5 %."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A metric over a group.

    Attributes:
        n: how many results have it.
        mean: None for none.
        deviation: the sample's standard deviation; None for fewer than two.
    """

    n: int
    mean: float | None = None
    deviation: float | None = None

    @property
    def squared_error(self) -> float | None:
        """Of the mean; None where nothing is known of it."""
        return None if self.deviation is None else self.deviation * self.deviation / self.n


@dataclass(frozen=True, slots=True)
class Group:
    """Points with the same values of the axes that count.

    Attributes:
        values: of these axes.
        count: results in it, with the metrics or without.
        spreads: of each metric that was asked for.
    """

    values: tuple[Any, ...]
    count: int
    spreads: tuple[Spread, ...]


def grouped(rows: Sequence[Result], axes: Sequence[Named], metrics: Sequence[Named]) -> list[Group]:
    """The groups, in the order of their first rows."""
    groups: dict[str, list[Result]] = {}
    for row in rows:
        groups.setdefault(repr([axis.of(row) for axis in axes]), []).append(row)
    return [
        Group(
            tuple(axis.of(members[0]) for axis in axes),
            len(members),
            tuple(_spread([metric.of(row) for row in members]) for metric in metrics),
        )
        for members in groups.values()
    ]


def group_value(
    name: str, axes: Sequence[Named], metrics: Sequence[Named]
) -> Callable[[Group], Any]:
    """What a column of groups has: an axis's value, or a metric's mean.

    Raises:
        UsageError: the groups have no such column.
    """
    for place, axis in enumerate(axes):
        if name in (axis.name, axis.path):
            return lambda group: group.values[place]
    for place, metric in enumerate(metrics):
        if name == metric.name:
            return lambda group: group.spreads[place].mean
    names = names_like(name, [each.name for each in (*axes, *metrics)])
    raise UsageError(f"the groups have no column '{name}'", f"there is {names}; --metric adds one")


def clearly_best(groups: Sequence[Group], metric: int, *, greatest: bool) -> int | None:
    """The index of the group that is best by one of the metrics.

    Returns:
        None where the difference to the next best may be noise, or nobody can tell, since a
        group has a single result.
    """
    known = [
        (index, group.spreads[metric])
        for index, group in enumerate(groups)
        if group.spreads[metric].mean is not None
    ]
    if len(known) < 2:
        return None
    sign = -1.0 if greatest else 1.0
    known.sort(key=lambda pair: sign * (pair[1].mean or 0.0))
    (index, first), (_, second) = known[:2]
    errors = (first.squared_error, second.squared_error)
    if None in errors or first.mean is None or second.mean is None:
        return None
    error = math.sqrt(sum(each for each in errors if each is not None))
    return index if abs(first.mean - second.mean) > CLEAR * error else None


def _spread(values: Sequence[Any]) -> Spread:
    known = [value for value in values if isinstance(value, int | float) and math.isfinite(value)]
    if not known:
        return Spread(0)
    deviation = _or_infinite(stdev, known) if len(known) > 1 else None
    return Spread(len(known), _or_infinite(fmean, known), deviation)


def _or_infinite(of: Callable[[Sequence[float]], float], values: Sequence[float]) -> float:
    """Infinite where numbers near the greatest that there are have no such sum."""
    try:
        return of(values)
    except OverflowError:
        return math.inf
