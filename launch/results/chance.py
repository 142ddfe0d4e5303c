"""How likely an F statistic is without any effect: the few lines that are needed of statistics."""

import math

_TINY = 1e-300
_ROUNDS = 300
_CLOSE = 1e-12


def f_tail(statistic: float, between: int, within: int) -> float:
    """The probability of an F statistic at least as great, where nothing differs.

    Args:
        between, within: degrees of freedom, at least one each.
    """
    if statistic <= 0:
        return 1.0
    if math.isinf(statistic):
        return 0.0
    return _beta(within / 2, between / 2, within / (within + between * statistic))


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return min(1.0, max(0.0, x))
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Its continued fraction, by Lentz's method, which converges for the x that it gets here."""
    c, d = 1.0, 1 / _safe(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _safe(1 + term * d)
            c = _safe(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return value


def _safe(number: float) -> float:
    return number if abs(number) > _TINY else _TINY
