"""Distributions by inversion: one uniform number in [0, 1) in, one draw out.

Parameters are those of torch's distribution of the same name, numbers instead of tensors.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sampler = Callable[[Floats], Floats]


def bernoulli(probs: float | None = None, logits: float | None = None) -> Floats:
    """Probabilities of categories 0 and 1."""
    success = _success(probs, logits)
    return np.array([1 - success, success])


def categorical(
    probs: Sequence[float] | None = None, logits: Sequence[float] | None = None
) -> Floats:
    """Probabilities of categories 0 to n - 1, from relative weights."""
    if probs is not None:
        weights = np.asarray(probs, dtype=np.float64)
    else:
        scores = np.asarray(logits, dtype=np.float64)
        weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def binomial(
    total_count: int = 1, probs: float | None = None, logits: float | None = None
) -> Floats:
    """Probabilities of 0 to `total_count` successes."""
    trial = bernoulli(probs, logits)
    probabilities = np.ones(1)
    for _ in range(total_count):
        probabilities = np.convolve(probabilities, trial)
    return probabilities


def _success(probs: float | None, logits: float | None) -> float:
    if probs is not None:
        return probs
    assert logits is not None, "either probs or logits"
    return float(1 / (1 + np.exp(-logits)))


DISCRETE: Mapping[str, Callable[..., Floats]] = {
    "bernoulli": bernoulli,
    "categorical": categorical,
    "binomial": binomial,
}


def discrete_sampler(probabilities: Floats) -> Sampler:
    """Draws category k with probability `probabilities[k]`, never one of probability 0."""
    bounds = np.cumsum(probabilities)
    # Rounding may leave the last bound a little short of 1, and the draws beyond it to
    # a category that is not there.
    bounds[np.flatnonzero(probabilities)[-1] :] = 1.0
    return lambda uniform: np.searchsorted(bounds, uniform, side="right").astype(np.float64)


def uniform_sampler(low: float, high: float) -> Sampler:
    """Draws from [low, high)."""
    # In float32, which the values end in, a draw just below `high` may round up to it.
    last = float(np.nextafter(np.float32(high), np.float32(low)))
    return lambda uniform: np.minimum(low + (high - low) * uniform, last)


CONTINUOUS: Mapping[str, Callable[..., Sampler]] = {"uniform": uniform_sampler}

VALUE_TRANSFORMS: Mapping[str, Callable[[Floats], Floats]] = {
    "identity": lambda value: value,
    "log1p": np.log1p,
}
