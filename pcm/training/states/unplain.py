"""Values again from what `plain` made of them."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import torch

from pcm.training.states.own_generators import rebuild_generator
from pcm.training.states.plain import Node, NotPlainError

_FIXED: Mapping[str, Callable[[Iterator[Any]], Any]] = {
    "tuple": tuple,
    "set": set,
    "frozenset": frozenset,
}
"""Containers that are made with all that is in them."""


@dataclass
class Rebuilder:
    """Turns nodes back into values; objects that are there already are changed in place.

    Args:
        named: the tensors that have names.
        device: of what was not on the CPU.
    """

    named: Mapping[str, torch.Tensor]
    device: torch.device
    _made: dict[int, Any] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)

    def rebuild(self, node: Node, present: Any = None) -> Any:
        """The value of a node.

        Args:
            present: what is in its place, whose other holders see the change.
        """
        if not isinstance(node, list):
            return node
        if node[0] == "same":
            return self._made[node[1]]
        if node[0] == "member":
            return type(present)[node[1]] if isinstance(present, Enum) else present
        if id(present) in self._used:
            present = None
        self._used.add(id(present))
        number = node[-1]
        value = self._made[number] = self._build(node[:-1], present, number)
        return value

    def _build(self, node: list[Any], present: Any, number: int) -> Any:
        tag, content = node[0], node[1]
        if tag == "object":
            return self._change(present, content, node[2], number)
        if tag == "dict":
            return self._fill(present, content, number)
        if tag in _FIXED:
            there = list(present) if isinstance(present, tuple) else []
            return _FIXED[tag](self._each(content, there))
        if tag in ("list", "deque"):
            return self._extend(present, node, number)
        return self._value(node, present)

    def _value(self, node: list[Any], present: Any) -> Any:
        """A tensor, an array or a generator."""
        tag, content = node[0], node[1]
        if tag == "named":
            return self.named[content]
        if tag == "tensor":
            tensor = content.clone() if node[2] else content.to(self.device)
            return tensor.requires_grad_() if node[3] else tensor
        if tag == "array":
            array = content.numpy().copy()
            return array[()] if node[2] else array
        return rebuild_generator(tag, content, present)

    def _fill(self, present: Any, pairs: list[list[Node]], number: int) -> Any:
        filled = present if isinstance(present, dict) else {}
        before = dict(filled)
        filled.clear()
        self._made[number] = filled
        for key, value in pairs:
            name = self.rebuild(key)
            filled[name] = self.rebuild(value, before.get(name))
        return filled

    def _extend(self, present: Any, node: list[Any], number: int) -> Any:
        empty: Any = [] if node[0] == "list" else deque(maxlen=node[2])
        sequence = present if type(present) is type(empty) else empty
        there = list(sequence)
        sequence.clear()
        self._made[number] = sequence
        for each in self._each(node[1], there):
            sequence.append(each)
        return sequence

    def _each(self, nodes: list[Node], there: list[Any]) -> Iterator[Any]:
        padded = [*there, *[None] * len(nodes)]
        yield from (self.rebuild(node, old) for node, old in zip(nodes, padded, strict=False))

    def _change(self, present: Any, kind: str, attributes: dict[str, Node], number: int) -> Any:
        """Set an object's attributes; it is there, or nobody knows how to make it."""
        if type(present).__qualname__ != kind:
            raise NotPlainError(f"a {kind} that is not there any more")
        self._made[number] = present
        for name, node in attributes.items():
            vars(present)[name] = self.rebuild(node, vars(present).get(name))
        return present
