"""Values of any kind as plain data, which loads without running code, and back.

What is no plain data, such as a function, is told from what is, and stays as it was built.
"""

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PosixPath
from typing import Any

import numpy as np
import torch

from pcm.training.states.own_generators import generator_node

Node = Any
"""A value itself where it is plain; else a list of a tag and what the tag needs."""

PLAIN = (type(None), bool, int, float, str, bytes, PosixPath, torch.dtype, torch.Size)
_SEQUENCES = (list, tuple, set, frozenset, deque)
_FOREIGN = ("torch", "torchmetrics", "lightning", "pytorch_lightning", "numpy", "builtins")
"""Whose objects are not looked into: they have a state_dict of their own, or none."""

_DEPTH = 12
_MOST = 200_000
"""Values in one attribute, which take about 0.2 s."""


class NotPlainError(Exception):
    """A value, or something in it, can't be written as plain data."""

    def __init__(self, what: str, *, is_fixed: bool = False) -> None:
        super().__init__(what)
        self.is_fixed = is_fixed
        """Whether such a value never changes, so that the one that was built is as good."""


@dataclass
class Keeper:
    """Turns values into nodes; what is met twice is written once.

    Args:
        name_of: the name of a tensor that is kept elsewhere, such as a parameter; else None.
        is_built: whether an object is one that will be there again: objects of other classes
            are changed in place, never made.
        with_tensors: whether tensors and arrays are written.
        most: values to write in one attribute.
    """

    name_of: Callable[[torch.Tensor], str | None] = lambda _: None
    is_built: Callable[[object], bool] = lambda _: True
    with_tensors: bool = True
    most: int = _MOST
    _met: dict[int, int] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    _start: int = 0

    def keep(self, value: Any, depth: int = 0) -> Node:
        """The node of a value.

        Raises:
            NotPlainError: there is none.
        """
        if type(value) in PLAIN:
            return value
        if isinstance(value, Enum):
            return ["member", value.name, -1]
        if isinstance(value, torch.device) or (
            callable(value) and not isinstance(value, torch.nn.Module)
        ):
            raise NotPlainError(type(value).__name__, is_fixed=True)
        if id(value) in self._met:
            return ["same", self._met[id(value)]]
        number = self._met[id(value)] = len(self._alive)
        self._alive.append(value)
        self._start = number if depth == 0 else self._start
        try:
            if depth > _DEPTH or number - self._start > self.most:
                raise NotPlainError("too much of it")
            return [*self._describe(value, depth + 1), number]
        except NotPlainError:
            # What was in it isn't written either: nothing may refer to it.
            for each in self._alive[number:]:
                self._met.pop(id(each), None)
            del self._alive[number:]
            raise

    def _describe(self, value: Any, depth: int) -> list[Any]:
        if isinstance(value, torch.Tensor):
            return self._describe_tensor(value)
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
            self._require_tensors("an array")
            return ["array", torch.from_numpy(np.array(value)), isinstance(value, np.generic)]
        if (generator := generator_node(value)) is not None:
            return generator
        kind = type(value)
        if kind in _SEQUENCES:
            length = [value.maxlen] if isinstance(value, deque) else []
            return [kind.__name__, [self.keep(each, depth) for each in value], *length]
        if kind in (dict, OrderedDict, defaultdict):
            pairs = [[self.keep(k, depth), self.keep(v, depth)] for k, v in value.items()]
            return ["dict", pairs]
        return self._describe_object(value, depth)

    def _describe_object(self, value: Any, depth: int) -> list[Any]:
        kind = type(value)
        package = kind.__module__.partition(".")[0]
        foreign = isinstance(value, torch.nn.Module) or package in _FOREIGN
        if foreign or not hasattr(value, "__dict__") or not self.is_built(value):
            raise NotPlainError(kind.__name__)
        attributes = {}
        for name, each in vars(value).items():
            with suppress(NotPlainError):
                attributes[name] = self.keep(each, depth)
        return ["object", kind.__qualname__, attributes]

    def _require_tensors(self, what: str) -> None:
        if not self.with_tensors:
            raise NotPlainError(what, is_fixed=True)

    def _describe_tensor(self, tensor: torch.Tensor) -> list[Any]:
        name = self.name_of(tensor)
        if name is not None:
            return ["named", name]
        self._require_tensors("a tensor")
        if tensor.layout is not torch.strided or tensor.is_meta:
            raise NotPlainError("a tensor that is not dense")
        needs_grad = tensor.requires_grad and tensor.is_leaf
        return ["tensor", tensor.detach().cpu().clone(), tensor.device.type == "cpu", needs_grad]
