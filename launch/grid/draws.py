"""Random values for the axes of `random:`, the same on every machine.

Of Python's generator only `random()` is promised never to change, so every distribution
is built on it alone. Each axis has a stream of its own, named by seed and path: another
axis, or a larger `n`, leaves the draws there were as they were. Real numbers are rounded to
six significant digits, where mathematical libraries agree.
"""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

Draw = Callable[[float], Any]
"""A number in [0, 1) -> a value of the distribution."""

_DIGITS = 6

_LONGEST = 60

MOST_WHOLE = 2**53
"""Beyond it not every whole number could be drawn."""


def draw_axis(path: str, spec: Mapping[str, Any], seed: int, n: int) -> list[Any]:
    """`n` values for the axis at `path`.

    Args:
        spec: one distribution and its arguments, e.g. `{"log_uniform": [1e-5, 1e-2]}`.

    Raises:
        ValueError: there is no such distribution, or its arguments make no sense.
    """
    draw = _distribution(spec)
    stream = random.Random(f"{seed}/{path}")
    return [draw(stream.random()) for _ in range(n)]


def _distribution(spec: Mapping[str, Any]) -> Draw:
    if not isinstance(spec, dict) or len(spec) != 1:
        raise ValueError(f"expected one distribution, e.g. {_EXAMPLE}")
    [(name, arguments)] = spec.items()
    if name not in DISTRIBUTIONS:
        raise ValueError(f"no such distribution '{name}'; there are {', '.join(DISTRIBUTIONS)}")
    return DISTRIBUTIONS[name](arguments)


def _uniform(arguments: Any) -> Draw:
    low, high = _range(arguments)
    return lambda u: _rounded(low + u * (high - low), low, high)


def _log_uniform(arguments: Any) -> Draw:
    low, high = _range(arguments)
    if low <= 0:
        raise ValueError(f"log_uniform needs a low end above 0, got {low}")
    ratio = math.log(high / low)
    return lambda u: _rounded(low * math.exp(u * ratio), low, high)


def _int_uniform(arguments: Any) -> Draw:
    low, high = _int_range(arguments)
    return lambda u: low + int(u * (high - low + 1))


def _int_log_uniform(arguments: Any) -> Draw:
    low, high = _int_range(arguments)
    if low < 1:
        raise ValueError(f"int_log_uniform needs a low end of 1 or more, got {low}")
    ratio = math.log((high + 1) / low)
    return lambda u: min(high, int(low * math.exp(u * ratio)))


def _normal(arguments: Any) -> Draw:
    # Imports half of Python's number types, and few grids need it.
    from statistics import NormalDist

    mean, deviation = _numbers(arguments, "[mean, standard deviation]")
    if deviation <= 0:
        raise ValueError(f"normal needs a standard deviation above 0, got {deviation}")
    inverse = NormalDist(mean, deviation).inv_cdf
    # The inverse is infinite at 0, the one end that random() can reach.
    return lambda u: _rounded(inverse(max(u, 2.0**-54)), -math.inf, math.inf)


def _choice(arguments: Any) -> Draw:
    if not isinstance(arguments, list) or not arguments:
        raise ValueError(f"choice needs a list of values, got {arguments!r}")
    return lambda u: arguments[int(u * len(arguments))]


DISTRIBUTIONS: Mapping[str, Callable[[Any], Draw]] = {
    "uniform": _uniform,
    "log_uniform": _log_uniform,
    "int_uniform": _int_uniform,
    "randint": _int_uniform,
    "int_log_uniform": _int_log_uniform,
    "normal": _normal,
    "choice": _choice,
}
"""By name: `[low, high]`, both included for whole numbers; `[mean, deviation]`; `[values]`."""

_EXAMPLE = "{log_uniform: [1e-5, 1e-2]}"


def _rounded(value: float, low: float, high: float) -> float:
    return min(high, max(low, float(f"{value:.{_DIGITS}g}")))


def _range(arguments: Any) -> tuple[float, float]:
    low, high = _numbers(arguments, "[low, high]")
    if low >= high:
        raise ValueError(f"the low end must be below the high end, got {_shown(arguments)}")
    if not math.isfinite(high - low):
        raise ValueError(f"the ends are too far apart, got {_shown(arguments)}")
    return low, high


def _int_range(arguments: Any) -> tuple[int, int]:
    low, high = _range(arguments)
    if not (low.is_integer() and high.is_integer()):
        raise ValueError(f"expected whole numbers, got {_shown(arguments)}")
    if max(abs(low), abs(high)) > MOST_WHOLE:
        raise ValueError(f"expected whole numbers up to {MOST_WHOLE:,}, got {_shown(arguments)}")
    return int(low), int(high)


def _numbers(arguments: Any, form: str) -> tuple[float, float]:
    if not isinstance(arguments, list) or len(arguments) != 2 or not all(map(_finite, arguments)):
        raise ValueError(f"expected {form}, got {_shown(arguments)}")
    first, second = arguments
    return float(first), float(second)


def _finite(value: Any) -> bool:
    try:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        )
    except OverflowError:
        # A whole number of more digits than a real one can have.
        return False


def _shown(arguments: Any) -> str:
    """The arguments, shortened: some have thousands of digits."""
    text = repr(arguments)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
