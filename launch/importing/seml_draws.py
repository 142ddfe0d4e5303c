"""What SEML draws from a seed: NumPy's generator as `np.random.seed` starts it, in plain Python.

Each parameter starts from the seed anew, so that two of the same range get the same values.
"""

import math
import random
from collections.abc import Mapping
from typing import Any

_WORDS = 624
_ALL = 2**32 - 1


def draw_as_seml(spec: Mapping[str, Any], seed: int, samples: int) -> list[Any] | None:
    """The values of a parameter of `random`; None for what SEML draws without regard to a seed."""
    stream = _numpy_stream(int(seed))
    match spec:
        case {"type": "uniform", "min": low, "max": high}:
            return _uniform(stream, low, high, samples)
        case {"type": "loguniform", "min": low, "max": high}:
            logs = _uniform(stream, math.log(low), math.log(high), samples)
            return [math.exp(each) for each in logs]
        case {"type": "randint", "min": low, "max": high}:
            last = int(high) - 1 - int(low)
            return [int(low) + _up_to(last, stream) for _ in range(samples)]
        case {"type": "randint_unique", "min": low, "max": high}:
            return _shuffled(range(int(low), int(high)), stream)[:samples]
    return None


def _numpy_stream(seed: int) -> random.Random:
    """The same Mersenne Twister, whose state NumPy fills in another way than Python."""
    if not 0 <= seed <= _ALL:
        raise ValueError(f"seed: {seed}")
    words = [seed]
    for position in range(1, _WORDS):
        last = words[-1]
        words.append((1812433253 * (last ^ last >> 30) + position) & _ALL)
    stream = random.Random()
    stream.setstate((3, (*words, _WORDS), None))
    return stream


def _uniform(stream: random.Random, low: float, high: float, samples: int) -> list[float]:
    return [low + (high - low) * stream.random() for _ in range(samples)]


def _up_to(last: int, stream: random.Random) -> int:
    """A whole number from 0 to `last`: of as many bits as it has, the first that is not above."""
    if not 0 <= last <= _ALL:
        raise ValueError(f"a range of {last}")
    mask = (1 << last.bit_length()) - 1
    while last:
        if (drawn := stream.getrandbits(32) & mask) <= last:
            return drawn
    return 0


def _shuffled(values: range, stream: random.Random) -> list[int]:
    shuffled = list(values)
    for index in reversed(range(1, len(shuffled))):
        other = _up_to(index, stream)
        shuffled[index], shuffled[other] = shuffled[other], shuffled[index]
    return shuffled
