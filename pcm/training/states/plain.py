"""Values of any kind as plain data, which loads without running code, and back by `unplain`.

What is no plain data, such as a function, is told from what is, and stays as it was built.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pcm.internals.module_tensors import tensors_of
from pcm.training.states import objects
from pcm.training.states.built import Built
from pcm.training.states.own_generators import generator_node
from pcm.training.states.plain_values import PLAIN, array_node, value_node

Node = Any
"""A value itself where it is plain; else a list of a tag, what the tag needs, and a number."""

PRESENT = "present"
"""In the place of a number: whatever is there."""

_DEPTH = 12
_MOST = 200_000
"""Values in one attribute, which take about 0.2 s."""


_ENDLESS = "too much of it"


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
        built: what will be there again, and is changed in place then; None takes every object for
            such a one.
        names: of tensors that are kept elsewhere, such as parameters, by their ids.
        modules: names of modules that are kept elsewhere, by their ids.
        elsewhere: ids of other objects that are, such as the Trainer's optimizers.
        most: values to write in one attribute.
        largest: elements of a tensor or an array that is written.
        lasting: of tensors and arrays that are to be changed in place, where nothing was built.

    Attributes:
        lost: what in objects could not be written though it may change: paths, with classes.
        made: tensors and arrays that are to be made anew, with their nodes.
    """

    built: Built | None = None
    names: Mapping[int, str] = field(default_factory=dict)
    modules: Mapping[int, str] = field(default_factory=dict)
    elsewhere: Collection[int] = ()
    most: int = _MOST
    largest: int | None = None
    lasting: Mapping[int, Any] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    made: list[tuple[Any, Node]] = field(default_factory=list)
    _met: dict[int, int] = field(default_factory=dict)
    _alive: list[Any] = field(default_factory=list)
    _start: int = 0
    _path: list[str] = field(default_factory=list)

    def keep(self, value: Any, depth: int = 0) -> Node:
        """The node of a value.

        Raises:
            NotPlainError: there is none.
        """
        if type(value) in PLAIN:
            return value
        if objects.is_fixed(value):
            raise NotPlainError(type(value).__name__, is_fixed=True)
        if id(value) in self.modules:
            return ["submodule", self.modules[id(value)], -1]
        if id(value) in self.elsewhere:
            return ["left", None, -1]
        if id(value) in self._met:
            return ["same", self._met[id(value)]]
        return self._keep_first(value, depth)

    def _keep_first(self, value: Any, depth: int) -> Node:
        """The node of what is met for the first time."""
        number = self._met[id(value)] = len(self._alive)
        self._alive.append(value)
        self._start = number if depth == 0 else self._start
        lost = len(self.lost)
        try:
            if depth > _DEPTH or number - self._start > self.most:
                raise NotPlainError(_ENDLESS)
            node = [*self._describe(value, depth + 1), number]
        except NotPlainError:
            # What was in it isn't written either: nothing may refer to it.
            for each in self._alive[number:]:
                self._met.pop(id(each), None)
            del self._alive[number:], self.lost[lost:]
            while self.made and self.made[-1][1][-1] >= number:
                self.made.pop()
            raise
        if node[0] in ("tensor", "array") and node[-2] is None:
            self.made.append((value, node))
        return node

    def _describe(self, value: Any, depth: int) -> list[Any]:
        if isinstance(value, Tensor):
            return self._describe_tensor(value)
        if isinstance(value, np.ndarray | np.generic):
            return self._describe_array(value, depth)
        node = generator_node(value) or value_node(value)
        return node or self._describe_composed(value, depth)

    def _describe_composed(self, value: Any, depth: int) -> list[Any]:
        """What consists of other values."""
        if isinstance(value, Enum):
            return self._describe_member(value)
        if isinstance(value, objects.HOLDERS):
            return self._describe_holder(value, depth)
        if type(value) in objects.CONTAINERS:
            return self._describe_container(value, depth)
        if isinstance(value, nn.Module):
            return self._describe_module(value, depth)
        return self._describe_object(value, depth)

    def _describe_holder(self, value: Any, depth: int) -> list[Any]:
        """What a function holds; itself it must have been built."""
        if self.built is not None and self._number_of(value) is None:
            # Lightning has one in the place of `forward` while a step runs.
            raise NotPlainError(type(value).__name__, is_fixed=objects.is_of_library(value))
        return ["holder", [self._keep_or_leave(each, depth) for each in objects.held_by(value)]]

    def _describe_container(self, value: Any, depth: int) -> list[Any]:
        tag, extra = objects.tag_of(value)
        if extra == objects.UNKNOWN and self._number_of(value) is None:
            raise NotPlainError(type(value).__name__)
        return [tag, self._content(value, depth), extra]

    def _number_of(self, value: Any) -> int | None:
        return None if self.built is None else self.built.number_of(value)

    def _place_of(self, value: Any) -> int | str | None:
        """Which tensor or array is to be changed in place."""
        return PRESENT if id(value) in self.lasting else self._number_of(value)

    def _content(self, value: Any, depth: int) -> list[Any]:
        """What is in a container of any kind."""
        if isinstance(value, dict):
            pairs = dict.items(value)
            return [[self.keep(k, depth), self.keep(v, depth)] for k, v in pairs]
        return [self.keep(each, depth) for each in value]

    def _keep_or_leave(self, value: Any, depth: int) -> Node:
        try:
            return self.keep(value, depth)
        except NotPlainError:
            return ["left", None, -1]

    def _describe_member(self, value: Enum) -> list[Any]:
        kind = type(value)
        if not objects.can_be_found(kind):
            return ["member", value.name]
        key = value.value if isinstance(value, Flag) else value.name
        return ["enum", kind.__qualname__, kind.__module__, key]

    def _describe_object(self, value: Any, depth: int) -> list[Any]:
        kind, number = type(value), self._number_of(value)
        if number is not None and objects.has_own_state(value):
            return ["stateful", kind.__qualname__, self._state_of(value, depth), number]
        if not objects.is_seen_through(value):
            raise NotPlainError(kind.__name__)
        content = self._content(value, depth) if objects.is_container(value) else None
        if number is not None or (self.built is None and not objects.is_frozen(value)):
            before, pairs = len(self.lost), objects.attributes_of(value)
            attributes = self._each_of(pairs, depth, quiet=callable(value))
            node = ["object", kind.__qualname__, attributes, number, content]
            is_whole = len(self.lost) == before or number is None
            return node if is_whole else self._with_own_words(node, value, depth, before)
        if not objects.can_be_made(kind):
            raise NotPlainError(kind.__name__)
        attributes = {name: self.keep(each, depth) for name, each in objects.attributes_of(value)}
        return ["made", kind.__qualname__, attributes, kind.__module__, content]

    def _with_own_words(self, node: Node, value: Any, depth: int, before: int) -> Node:
        """With what an object says of its state, such as a replay buffer, where that can be kept.

        Args:
            before: how much had been lost before its attributes.
        """
        is_endless = any(_ENDLESS in each for each in self.lost[before:])
        if is_endless or not objects.tells_state(value):
            return node
        try:
            state = self._state_of(value, depth)
        except NotPlainError:
            return node
        del self.lost[before:]
        return ["telling object", *node[1:], state]

    def _state_of(self, value: Any, depth: int) -> Node:
        try:
            return self.keep(value.state_dict(), depth)
        except NotPlainError as error:
            raise NotPlainError(type(value).__name__) from error

    def _each_of(
        self, pairs: Iterator[tuple[str, Any]], depth: int, *, quiet: bool
    ) -> dict[str, Node]:
        """The nodes of attributes, and a note of those that have none."""
        nodes, before = {}, len(self.lost)
        for name, value in pairs:
            self._path.append(name)
            try:
                nodes[name] = self.keep(value, depth)
            except NotPlainError as error:
                if not error.is_fixed:
                    self.lost.append(f".{'.'.join(self._path)} ({error})")
            self._path.pop()
        if quiet:
            del self.lost[before:]
        return nodes

    def _describe_module(self, value: nn.Module, depth: int) -> list[Any]:
        """A module that no other one knows of, such as the average in somebody's own class."""
        number = self._number_of(value)
        if number is None:
            raise NotPlainError(type(value).__name__)
        parts = {}
        for name, module in value.named_modules():
            tensors = tensors_of(module)
            attributes = objects.attributes_of(module)
            parts[name] = {
                "tensors": {k: self.keep(each, depth) for k, each in tensors.items()},
                "attributes": self._each_of(attributes, depth, quiet=True),
                "training": module.training,
            }
        return ["module", type(value).__qualname__, parts, number]

    def _describe_array(self, array: Any, depth: int) -> list[Any]:
        if self.largest is not None and array.size > self.largest:
            raise NotPlainError("an array", is_fixed=True)
        if type(array) is np.ndarray and array.dtype.hasobject:
            values = [self.keep(each, depth) for each in array.ravel().tolist()]
            return ["objects", values, list(array.shape)]
        if (node := array_node(array)) is None:
            raise NotPlainError(type(array).__name__)
        return [*node, self._place_of(array)]

    def _describe_tensor(self, tensor: Tensor) -> list[Any]:
        if id(tensor) in self.names:
            return ["named", self.names[id(tensor)]]
        if self.largest is not None and tensor.numel() > self.largest:
            raise NotPlainError("a tensor", is_fixed=True)
        number = self._number_of(tensor)
        if number is not None and self.built is not None and self.built.is_unchanged(tensor):
            return ["there", number]
        if tensor.layout is not torch.strided or tensor.is_meta:
            raise NotPlainError("a tensor that is not dense")
        needs_grad = tensor.requires_grad and tensor.is_leaf
        copy = tensor.detach().cpu().clone()
        is_cpu = tensor.device.type == "cpu"
        return ["tensor", copy, is_cpu, needs_grad, self._place_of(tensor)]
