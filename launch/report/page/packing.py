"""Curves as text that a page can hold: measured, 500 curves of 1,000 points take 0.9 MB.

Of each curve its values are 16-bit numbers within its own range, as differences, low bytes before
high bytes, all curves of a metric together through gzip and base64. The page undoes that with
`DecompressionStream`. Exact values stand in the page's table.
"""

import base64
import gzip
import math
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from launch.results.curves import Curve

LARGEST = 65534
"""The number of a curve's greatest value; its least is 0."""

MISSING = 65535
"""Stands for what is no finite number."""


def packed(curves: Sequence[Curve | None]) -> dict[str, Any]:
    """One metric's curves, in the order of the runs; None for a run without one."""
    counts, lows, highs = [], [], []
    steps, values = array("I"), array("H")
    for curve in curves:
        low, high = _range(curve.values if curve else ())
        counts.append(len(curve.steps) if curve else 0)
        lows.append(low)
        highs.append(high)
        if curve:
            steps.extend(_differences(curve.steps, 0xFFFFFFFF))
            values.extend(_differences(_numbers(curve.values, low, high), 0xFFFF))
    return {
        "counts": counts,
        "lows": lows,
        "highs": highs,
        "steps": _text(steps),
        "values": _text(values),
    }


def _range(values: Sequence[float]) -> tuple[float, float]:
    if values and math.isfinite(sum(values)):
        return min(values), max(values)
    finite = [value for value in values if math.isfinite(value)]
    return (min(finite), max(finite)) if finite else (0.0, 0.0)


def _numbers(values: Sequence[float], low: float, high: float) -> list[int]:
    # Halves, since the range of two doubles need not be one.
    bottom, width = low / 2, high / 2 - low / 2
    scale = LARGEST / width if width > 0 else 0.0
    if not math.isfinite(scale):
        scale = 0.0
    return [
        round((value / 2 - bottom) * scale) if low <= value <= high else MISSING for value in values
    ]


def _differences(numbers: Sequence[int], mask: int) -> list[int]:
    return [number & mask for number in numbers[:1]] + [
        (after - before) & mask for before, after in pairwise(numbers)
    ]


def _text(numbers: "array[int]") -> str:
    """Least significant bytes of all first: the others are nearly all zero, and compress well."""
    data = numbers.tobytes()
    size = numbers.itemsize
    planes = b"".join(data[place::size] for place in range(size))
    # Level 6: 9 takes three times as long and saves a hundredth. No time: same data, same text.
    return base64.b64encode(gzip.compress(planes, 6, mtime=0)).decode()
