"""Values again from what `plain` made of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, Flag
from typing import Any

import numpy as np
import torch
from torch import nn

from pcm.internals.module_tensors import set_tensor, tensors_of
from pcm.training.states import objects
from pcm.training.states.built import Built
from pcm.training.states.own_generators import GENERATORS, rebuild_generator
from pcm.training.states.plain import PRESENT, Node, NotPlainError
from pcm.training.states.plain_values import rebuild_array, rebuild_value
from pcm.training.states.shared_memory import memory_of, rebuild_view

_MADE_WHOLE: Mapping[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset}
"""Containers that are made with all that is in them."""

_FILLED = ("list", "deque", "dict", "OrderedDict", "defaultdict", "Counter")

_IN_MEMORY = ("tensor", "array", "view")

_REFERENCES = ("named", "there", "submodule", "left", "member", "enum")
"""What is there already, as it is."""


@dataclass
class Rebuilder:
    """Turns nodes back into values; objects that are there already are changed in place.

    Args:
        named: the tensors that have names.
        device: of what was not on the CPU.
        built: what was there before training.
        model: whose submodules have names.
    """

    named: Mapping[str, torch.Tensor]
    device: torch.device
    built: Built = field(default_factory=Built)
    model: nn.Module = field(default_factory=nn.Module)
    _made: dict[int, Any] = field(default_factory=dict)
    _used: set[int] = field(default_factory=set)
    _memories: dict[int, torch.Tensor] = field(default_factory=dict)

    def rebuild(self, node: Node, present: Any = None) -> Any:
        """The value of a node.

        Args:
            present: what is in its place, whose other holders see the change.
        """
        if not isinstance(node, list):
            return node
        if node[0] == "same":
            return self._made[node[1]]
        if node[0] in _REFERENCES:
            found = self._made[node[-1]] = self._find(node, present)
            return found
        if id(present) in self._used:
            present = None
        self._used.add(id(present))
        number = node[-1]
        value = self._made[number] = self._build(node[:-1], present, number)
        return value

    def _find(self, node: list[Any], present: Any) -> Any:
        tag, content = node[0], node[1]
        if tag in ("member", "enum"):
            return _member(node, present)
        if tag == "left":
            return present
        if tag == "submodule":
            return self.model.get_submodule(content)
        if tag == "named":
            return self.named[content]
        if not isinstance(found := self.built.at(content), torch.Tensor):
            raise NotPlainError("a tensor that is not there any more")
        return found

    def _build(self, node: list[Any], present: Any, number: int) -> Any:
        tag, content = node[0], node[1]
        if tag in ("object", "telling object", "made"):
            return self._object(node, present, number)
        if tag == "module":
            return self._module(node, number)
        if tag in _MADE_WHOLE:
            there = list(present) if isinstance(present, tuple) else []
            return _MADE_WHOLE[tag](self._each(content, there))
        if tag in _FILLED:
            return self._fill(self._to_fill(node, present), content, number)
        if tag == "holder":
            held = objects.held_by(present) if isinstance(present, objects.HOLDERS) else []
            objects.set_held(present, list(self._each(content, held)))
            return present
        return self._value(node, present)

    def _value(self, node: list[Any], present: Any) -> Any:
        """A tensor, an array, a generator, or another value as a whole."""
        tag, content = node[0], node[1]
        if tag in _IN_MEMORY:
            return self._in_memory(node, present)
        if tag == "objects":
            array = objects.empty_array(node[2])
            array.ravel()[:] = [*self._each(content, [])]
            return array
        if tag == "stateful":
            return self._stateful(node, present)
        if tag in GENERATORS:
            return rebuild_generator(tag, content, present)
        return rebuild_value(tag, content)

    def _in_memory(self, node: list[Any], present: Any) -> Any:
        """A tensor or an array."""
        if node[0] == "view":
            return self._view(node)
        if node[0] == "tensor":
            return self._tensor(node, present)
        there = self._built(node, 3, present)
        return rebuild_array(node[1], is_scalar=node[2], present=there)

    def _tensor(self, node: list[Any], present: Any) -> torch.Tensor:
        """The one that was built, which an optimizer may hold; or another."""
        values, needs_grad = node[1], node[3]
        there = self._built(node, 4, present)
        if isinstance(there, torch.Tensor) and _fits(there, values):
            there.data.copy_(values)
            if there.is_leaf:
                there.requires_grad_(needs_grad)
            return there
        tensor: torch.Tensor = values.clone() if node[2] else values.to(self.device)
        return tensor.requires_grad_() if needs_grad else tensor

    def _view(self, node: list[Any]) -> Any:
        """A tensor or an array in memory that is there, or that the first of its views brings."""
        memory = self._memory(node[1])
        try:
            return rebuild_view(memory, node[2], needs_grad=node[3])
        except (RuntimeError, ValueError) as error:
            raise NotPlainError("a view of what is not there any more") from error

    def _memory(self, source: list[Any]) -> torch.Tensor:
        tag, content = source[0], source[1]
        if tag != "memory":
            owner = self.named[content] if tag == "named" else self.built.at(content)
            if not isinstance(owner, torch.Tensor | np.ndarray):
                raise NotPlainError("a view of what is not there any more")
            return memory_of(owner)
        if source[2] is not None:
            brought = source[2].clone() if source[3] else source[2].to(self.device)
            self._memories[content] = brought
        return self._memories[content]

    def _built(self, node: list[Any], place: int, present: Any = None) -> Any:
        """What was built, if the node says which: those of earlier versions are shorter."""
        number = node[place] if len(node) > place else None
        return present if number == PRESENT else self.built.at(number)

    def _to_fill(self, node: list[Any], present: Any) -> Any:
        tag, extra = node[0], node[2] if len(node) > 2 else None
        # Before 0.5 every mapping was written as a dict.
        is_any_dict = tag == "dict" and len(node) == 2 and isinstance(present, dict)
        if is_any_dict or type(present).__name__ == tag:
            return present
        empty = objects.make_container(tag, extra)
        if empty is None:
            raise NotPlainError(f"a {tag} that is not there any more")
        return empty

    def _fill(self, container: Any, nodes: list[Node], number: int) -> Any:
        """Have these in it, and nothing else."""
        self._made[number] = container
        if isinstance(container, dict):
            before = dict(container)
            dict.clear(container)
            for key, value in nodes:
                name = self.rebuild(key)
                dict.__setitem__(container, name, self.rebuild(value, before.get(name)))
            return container
        there = list(container)
        kind: Any = next(each for each in objects.CONTAINERS if isinstance(container, each))
        kind.clear(container)
        add = kind.add if kind is set else kind.append
        for each in self._each(nodes, there):
            add(container, each)
        return container

    def _each(self, nodes: list[Node], there: list[Any]) -> Iterator[Any]:
        padded = [*there, *[None] * len(nodes)]
        yield from (self.rebuild(node, old) for node, old in zip(nodes, padded, strict=False))

    def _object(self, node: list[Any], present: Any, number: int) -> Any:
        """Set an object's attributes and content; it is there, or can be made."""
        tag, name, attributes = node[:3]
        content = node[4] if len(node) > 4 else None
        if tag == "made":
            made = self._new(name, node[3], content)
        else:
            made = _first_of(name, self._built(node, 3), present)
        self._made[number] = made
        for attribute, each in attributes.items():
            value = self.rebuild(each, getattr(made, attribute, None))
            _set(made, attribute, value)
        if content is not None and not isinstance(made, tuple | frozenset):
            self._fill(made, content, number)
        elif content is not None and tag != "made":
            list(self._each(content, list(made)))
        if tag == "telling object":
            _load(made, self.rebuild(node[5]))
        return made

    def _new(self, name: str, module: str, content: list[Node] | None) -> Any:
        kind = objects.find_class(module, name)
        if kind is None or not objects.can_be_made(kind):
            raise NotPlainError(f"a {name} that is not there any more")
        if issubclass(kind, tuple):
            return tuple.__new__(kind, list(self._each(content or [], [])))
        return kind.__new__(kind)

    def _stateful(self, node: list[Any], present: Any) -> Any:
        there = _first_of(node[1], self._built(node, 3), present)
        there.load_state_dict(self.rebuild(node[2]))
        return there

    def _module(self, node: list[Any], number: int) -> Any:
        """Set the tensors and attributes of a module and of all that are in it."""
        made: nn.Module = _first_of(node[1], self._built(node, 3))
        self._made[number] = made
        modules = dict(made.named_modules())
        for name, part in node[2].items():
            module = modules[name]
            module.training = part["training"]
            for key, present in tensors_of(module).items():
                tensor = self.rebuild(part["tensors"].get(key), present)
                if tensor is not present:
                    set_tensor(module, key, tensor)
            attributes: dict[str, Any] = module.__dict__
            for key, each in part["attributes"].items():
                attributes[key] = self.rebuild(each, attributes.get(key))
        return made


def _load(value: Any, state: Any) -> None:
    try:
        value.load_state_dict(state)
    except Exception as error:
        raise NotPlainError(f"its load_state_dict() says {error}") from error


def _member(node: list[Any], present: Any) -> Any:
    if node[0] == "member" and isinstance(present, Enum):
        return type(present)[node[1]]
    kind: Any = objects.find_class(node[2], node[1]) if node[0] == "enum" else None
    if kind is None or not issubclass(kind, Enum):
        raise NotPlainError(f"{node[1]}, whose class is not there any more")
    return kind(node[3]) if issubclass(kind, Flag) else kind[node[3]]


def _first_of(name: str, *values: Any) -> Any:
    """The first that is of the class of this name."""
    for each in values:
        if type(each).__qualname__ == name:
            return each
    raise NotPlainError(f"a {name} that is not there any more")


def _fits(there: torch.Tensor, values: torch.Tensor) -> bool:
    is_alike = there.shape == values.shape and there.dtype == values.dtype
    return is_alike and there.layout is torch.strided and not there.is_meta


def _set(value: Any, name: str, attribute: Any) -> None:
    """Whatever its class says about setting: it may be frozen."""
    attributes: dict[str, Any] = getattr(value, "__dict__", {})
    if name in attributes or not hasattr(type(value), name):
        attributes[name] = attribute
    else:
        object.__setattr__(value, name, attribute)
