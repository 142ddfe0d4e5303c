"""How much of a metric each axis explains: exactly for a full grid, else by where the best lie.

For a full grid, the analysis of variance: an axis's share of all variance. For anything else,
PED-ANOVA (Watanabe, Bansal and Hutter, 2023): how much the values of an axis among the best tenth
differ from those among all. Both say where that may be chance.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean
from typing import Any

from launch.results.chance import f_tail
from launch.results.divergence import divergences

CHANCE = 0.05
"""What chance alone brings about this often is called noise."""

FEWEST = 4
"""With fewer results nothing is said."""


class Method(StrEnum):
    """How importances were found."""

    ANOVA = "ANOVA"
    PED_ANOVA = "PED-ANOVA"


@dataclass(frozen=True, slots=True)
class Effect:
    """One axis.

    Attributes:
        share: of what is explained, from 0 to 1: of all variance for ANOVA, else of all axes'.
        p: how often chance alone would show as much; None where nobody can tell.
    """

    axis: str
    share: float
    p: float | None

    @property
    def is_noise(self) -> bool:
        """Whether chance may be all that it is."""
        return self.p is None or self.p > CHANCE


@dataclass(frozen=True, slots=True)
class Importance:
    """All axes; `n` is how many results they were found from."""

    method: Method
    n: int
    effects: tuple[Effect, ...]


def importance(
    axes: Sequence[str],
    points: Sequence[Sequence[Any]],
    values: Sequence[float],
    *,
    greatest: bool = False,
) -> Importance | None:
    """The axes' importances, in their order.

    Args:
        points: for each result the values of the axes.
        values: for each result the metric.
        greatest: whether the greatest is the best; ANOVA doesn't mind.

    Returns:
        None where there is too little to say anything, or all results are the same.
    """
    finite = [place for place, value in enumerate(values) if math.isfinite(value)]
    chosen = near_one([values[place] for place in finite])
    varying = [
        place for place in range(len(axes)) if len({repr(points[row][place]) for row in finite}) > 1
    ]
    if len(chosen) < FEWEST or not varying or len(set(chosen)) == 1:
        return None
    names = [axes[place] for place in varying]
    rows = [[points[row][place] for place in varying] for row in finite]
    if is_full_grid(rows):
        return Importance(Method.ANOVA, len(rows), tuple(main_effects(names, rows, chosen)))
    scores = divergences(rows, chosen, greatest=greatest)
    total = sum(score for score, _ in scores) or 1.0
    effects = (
        Effect(name, score / total, p) for name, (score, p) in zip(names, scores, strict=True)
    )
    return Importance(Method.PED_ANOVA, len(rows), tuple(effects))


def near_one(values: Sequence[float]) -> list[float]:
    """The same, the greatest near 1: shares of variance stay, and squares of 1e300 are finite."""
    _, exponent = math.frexp(max(map(abs, values), default=0.0))
    return [math.ldexp(value, -exponent) for value in values]


def is_full_grid(rows: Sequence[Sequence[Any]]) -> bool:
    """Whether every combination of the axes' values is there, each as often as the others."""
    counts = Counter(tuple(map(repr, row)) for row in rows)
    levels = [len({row[place] for row in counts}) for place in range(len(rows[0]))]
    return len(counts) == math.prod(levels) and len(set(counts.values())) == 1


def main_effects(
    axes: Sequence[str], rows: Sequence[Sequence[Any]], values: Sequence[float]
) -> list[Effect]:
    """Each axis's share of the variance of a full grid; the rest is interaction and noise."""
    mean = fmean(values)
    total = sum((value - mean) ** 2 for value in values)
    squares, freedom = [], []
    for place in range(len(axes)):
        levels: dict[str, list[float]] = {}
        for row, value in zip(rows, values, strict=True):
            levels.setdefault(repr(row[place]), []).append(value)
        squares.append(sum(len(level) * (fmean(level) - mean) ** 2 for level in levels.values()))
        freedom.append(len(levels) - 1)
    rest = max(0.0, total - sum(squares))
    rest_freedom = len(values) - 1 - sum(freedom)
    return [
        Effect(axis, square / total, _p(square, free, rest, rest_freedom))
        for axis, square, free in zip(axes, squares, freedom, strict=True)
    ]


def _p(square: float, freedom: int, rest: float, rest_freedom: int) -> float | None:
    """None for a grid that leaves nothing to tell an effect from chance by."""
    if rest_freedom < 1:
        return None
    if rest <= 0:
        return 0.0 if square > 0 else 1.0
    return f_tail(square / freedom / (rest / rest_freedom), freedom, rest_freedom)
