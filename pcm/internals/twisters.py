"""The Mersenne Twisters that Python and NumPy keep for everybody, by the memory they are in.

Their own functions make a number of Python's of each of 624 words: 25 us to take Python's state
and 100 us to take or set NumPy's, where all of a small model's step takes 240 us. The words and
the place among them are 2,500 bytes, which say at once whether anything was drawn.
"""

import ctypes
import random
import struct
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

_WORDS = 624
_BYTES = 4 * _WORDS + 4
"""All words and the place among them, which NumPy has after and Python before them."""


@dataclass(frozen=True)
class TwisterState:
    """A state, as memory has it and as the library's own functions take it.

    Attributes:
        memory: empty where it can't be read.
        has_gauss: whether half of a pair of Gaussians is left over, which is kept elsewhere.
    """

    memory: bytes
    whole: Any
    has_gauss: bool


class Twister(ABC):
    """One of the two."""

    def read(self, former: TwisterState | None) -> TwisterState:
        """The present state; `former` itself, if that is what it still is."""
        address = self._address()
        memory = b"" if address is None else ctypes.string_at(address, _BYTES)
        if former is not None and memory and memory == former.memory and not former.has_gauss:
            return former
        whole, has_gauss = self._take()
        return TwisterState(memory, whole, has_gauss)

    def write(self, state: TwisterState, present: TwisterState) -> None:
        """Set a state in the place of the present one."""
        address = self._address()
        has_gauss = state.has_gauss or present.has_gauss
        if address is None or not state.memory or has_gauss:
            self._set(state.whole)
        else:
            ctypes.memmove(address, state.memory, _BYTES)

    @abstractmethod
    def _address(self) -> int | None:
        """Where its words are; None where that isn't known."""

    @abstractmethod
    def _take(self) -> tuple[Any, bool]:
        """The state as `_set` takes it, and whether half of a pair of Gaussians is in it."""

    @abstractmethod
    def _set(self, whole: Any) -> None: ...


class PythonTwister(Twister):
    """The one of `random`."""

    def __init__(self) -> None:
        self._place = _find_words()

    def _address(self) -> int | None:
        return self._place

    def _take(self) -> tuple[Any, bool]:
        state = random.getstate()
        return state, state[2] is not None

    def _set(self, whole: Any) -> None:
        random.setstate(whole)


class NumpyTwister(Twister):
    """The one of `numpy.random`, whose address NumPy tells."""

    def _address(self) -> int | None:
        generator = np.random.get_bit_generator()  # type: ignore[attr-defined]  # not in the stubs
        if not isinstance(generator, np.random.MT19937):
            return None
        return int(generator.ctypes.state_address)

    def _take(self) -> tuple[Any, bool]:
        state: Any = np.random.get_state(legacy=False)
        return state, bool(state["has_gauss"])

    def _set(self, whole: Any) -> None:
        np.random.set_state(whole)


def _find_words() -> int | None:
    """Where the words of Python's are: first in the object, if they are there."""
    shared = getattr(random.random, "__self__", None)
    start = object.__basicsize__
    is_found = type(shared) is random.Random and sys.implementation.name == "cpython"
    if not is_found or random.Random.__basicsize__ < start + _BYTES:
        return None
    address = id(shared) + start
    place, *words = struct.unpack(f"=i{_WORDS}I", ctypes.string_at(address, _BYTES))
    return address if random.getstate()[1] == (*words, place) else None
