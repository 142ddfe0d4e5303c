"""Results in the order of a column."""

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

R = TypeVar("R")


def ordered(rows: Sequence[R], of: Callable[[R], Any], *, descending: bool = False) -> list[R]:
    """By a column, numbers before texts; what has no value, or no number, is last either way."""
    known = [row for row in rows if not _is_missing(of(row))]
    unknown = [row for row in rows if _is_missing(of(row))]
    return sorted(known, key=lambda row: _rank(of(row)), reverse=descending) + unknown


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers by their size, also those that another tool's sweep has as words, then texts."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 1, 0.0, str(value)
    return (1, 0.0, str(value)) if math.isnan(number) else (0, number, "")
