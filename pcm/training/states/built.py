"""What a model holds beside its weights before it trains: a resumed process finds it by number."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn.parameter import is_lazy

from pcm.internals.tensors import Mark, mark_of
from pcm.training.states import objects
from pcm.training.states.plain_values import PLAIN

_DEPTH = 12
_MOST = 200_000


class Built:
    """Numbers of all objects, tensors and containers, in the order in which they are found.

    A process that resumes builds the same, and so gives them the same numbers.
    """

    def __init__(self) -> None:
        # They stay alive, so that no other gets the id of one.
        self._values: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._marks: dict[int, Mark] = {}

    def note(self, value: Any, largest: int | None = None, depth: int = 0) -> None:
        """Give a number to a value, and to what is in it.

        Args:
            largest: elements of a tensor that may be read.
        """
        # A number or a word in two places may be one object, or two, in each process.
        if type(value) in PLAIN or objects.is_fixed(value) or id(value) in self._numbers:
            return
        if len(self._values) > _MOST:
            return
        self._numbers[id(value)] = len(self._values)
        self._values.append(value)
        if isinstance(value, Tensor):
            if largest is not None and not is_lazy(value) and value.numel() > largest:
                return
            self._marks[id(value)] = mark_of(value)
        elif depth <= _DEPTH:
            for each in objects.children_of(value):
                self.note(each, largest, depth + 1)

    def number_of(self, value: Any) -> int | None:
        """Its number; None of what was made later."""
        return self._numbers.get(id(value))

    def at(self, number: int | None) -> Any:
        """What has the number; None if nothing has."""
        is_there = number is not None and number < len(self._values)
        return self._values[number] if is_there and number is not None else None

    def memories(self) -> Iterator[tuple[int, Any]]:
        """Tensors and arrays, with their numbers."""
        for number, value in enumerate(self._values):
            if isinstance(value, Tensor | np.ndarray):
                yield number, value

    def is_unchanged(self, tensor: Tensor) -> bool:
        """Whether a tensor that has a number is as it was when it got it."""
        return self._marks[id(tensor)] == mark_of(tensor)
