"""Where the best results lie on each axis, against where all lie: the heart of PED-ANOVA."""

import math
from collections.abc import Sequence
from random import Random
from typing import Any

BEST = 0.1
"""The share of all results that are the best."""

FEWEST_BEST = 4

CELLS = 32
"""Into which the range of a number is cut."""

MANY = 12
"""A number with so many values, or more, is taken for continuous."""

SHUFFLES = 200
"""Draws of as many results by chance, to which the best ones are compared."""

Kernel = list[list[float]]
"""For each cell, how a result in it is spread over all of them."""


def divergences(
    rows: Sequence[Sequence[Any]], values: Sequence[float], *, greatest: bool
) -> list[tuple[float, float]]:
    """For each axis, Pearson's divergence of the best from all, and how often chance has more."""
    order = sorted(range(len(values)), key=values.__getitem__, reverse=greatest)
    best = order[: max(min(FEWEST_BEST, len(order) - 1), round(BEST * len(order)))]
    # Seeded: the same results have the same importances whenever somebody looks.
    draws = [Random(seed).sample(order, len(best)) for seed in range(SHUFFLES)]
    found = []
    for place in range(len(rows[0])):
        cells, kernel = _cells([row[place] for row in rows])
        everything = _density(cells, kernel)
        score = _pearson(_density([cells[row] for row in best], kernel), everything)
        others = (
            _pearson(_density([cells[row] for row in draw], kernel), everything) for draw in draws
        )
        found.append((score, (1 + sum(other >= score for other in others)) / (1 + SHUFFLES)))
    return found


def _pearson(best: Sequence[float], everything: Sequence[float]) -> float:
    """Of two densities over the same cells; the second is nowhere zero."""
    return sum(base * (top / base - 1) ** 2 for top, base in zip(best, everything, strict=True))


def _density(cells: Sequence[int], kernel: Kernel) -> list[float]:
    counts = [0] * len(kernel)
    for cell in cells:
        counts[cell] += 1
    # One result more, spread evenly, so that no cell is empty.
    size = len(kernel)
    total = [1 / size] * size
    for count, spread in zip(counts, kernel, strict=True):
        if count:
            total = [old + count * share for old, share in zip(total, spread, strict=True)]
    return [each / (len(cells) + 1) for each in total]


def _cells(values: Sequence[Any]) -> tuple[list[int], Kernel]:
    """Each value's cell; choices have one each, continuous numbers are cut and smoothed."""
    distinct = list(dict.fromkeys(map(repr, values)))
    if len(distinct) < MANY or not all(map(_is_number, values)):
        index = {value: place for place, value in enumerate(distinct)}
        size = len(distinct)
        kernel = [[float(row == column) for column in range(size)] for row in range(size)]
        return [index[repr(value)] for value in values], kernel
    numbers = _on_their_scale([float(value) for value in values])
    low, high = min(numbers), max(numbers)
    cells = [min(CELLS - 1, int((each - low) / (high - low) * CELLS)) for each in numbers]
    return cells, _gaussian(cells)


def _on_their_scale(numbers: list[float]) -> list[float]:
    """Logarithms of what spans orders of magnitude."""
    low, high = min(numbers), max(numbers)
    return [math.log(each) for each in numbers] if low > 0 and high / low >= 50 else numbers


def _gaussian(cells: Sequence[int]) -> Kernel:
    """As wide as Scott's rule has it for so many results."""
    mean = sum(cells) / len(cells)
    deviation = math.sqrt(sum((cell - mean) ** 2 for cell in cells) / len(cells))
    width = max(0.5, 1.06 * deviation * len(cells) ** -0.2)
    kernel = []
    for row in range(CELLS):
        spread = [math.exp(-(((row - column) / width) ** 2) / 2) for column in range(CELLS)]
        total = sum(spread)
        kernel.append([share / total for share in spread])
    return kernel


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
