"""Which objects can be seen through: what they hold, and whether another one can be made."""

import dataclasses
import logging
import random
import re
import sys
import threading
import types
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule
from torch import nn

from pcm.internals.module_tensors import LAZY_HOOKS, tensors_of

CONTAINERS = (list, tuple, set, frozenset, deque, dict, OrderedDict, defaultdict, Counter)
"""Which are written as such; what is derived from them, as an object with content."""

HOLDERS = (types.MethodType, partial, types.FunctionType)
"""What is fixed itself, and may hold what isn't: a method its object, a function its closure."""

_FIXED = (
    torch.device,
    type,
    types.ModuleType,
    types.MappingProxyType,
    re.Pattern,
    logging.Logger,
    type(threading.Lock()),
    type(threading.RLock()),
)

_LIBRARIES = (
    "torch",
    "torchmetrics",
    "lightning",
    "lightning_utilities",
    "pytorch_lightning",
    "numpy",
    "builtins",
    "abc",
    "pcm",
)
"""Whose objects are not looked into: they have a state_dict of their own, or none."""

_FACTORIES = {each.__name__: each for each in (int, float, str, list, dict, set, tuple, Counter)}

UNKNOWN = "?"
"""In place of a dict's factory that has no name here."""

_HEAP_TYPE = 1 << 9
"""CPython's flag of types that are made by a `class` statement."""


def is_fixed(value: Any) -> bool:
    """Whether it never changes as far as anybody can see."""
    if isinstance(value, _FIXED):
        return True
    if isinstance(value, HOLDERS):
        return isinstance(value, types.FunctionType) and not value.__closure__
    is_call = callable(value) and not isinstance(value, nn.Module)
    return is_call and (is_of_library(type(value)) or not hasattr(value, "__dict__"))


def is_of_library(code: Any) -> bool:
    """Whether a class or a function comes from a library that is not looked into."""
    return str(getattr(code, "__module__", "")).partition(".")[0] in _LIBRARIES


def is_container(value: Any) -> bool:
    """Whether it is one of the containers, or derived from one."""
    return isinstance(value, CONTAINERS)


def is_frozen(value: Any) -> bool:
    """Whether it can't be changed in place."""
    parameters = getattr(type(value), "__dataclass_params__", None)
    return isinstance(value, tuple) or bool(getattr(parameters, "frozen", False))


def is_seen_through(value: Any) -> bool:
    """Whether its attributes, and its content if it is a container, are all that there is to it."""
    kind = type(value)
    if kind is types.SimpleNamespace:
        return True
    has_attributes = hasattr(value, "__dict__") or any(_slots(kind)) or is_container(value)
    if is_of_library(kind) or not has_attributes or isinstance(value, random.Random):
        return False
    # Of classes in C nobody knows what they hide.
    hidden = (each for each in kind.__mro__ if not each.__flags__ & _HEAP_TYPE)
    return all(each is object or each in CONTAINERS for each in hidden)


def has_own_state(value: Any) -> bool:
    """Whether it is a library's that says what its state is, such as an optimizer."""
    return is_of_library(type(value)) and tells_state(value)


def tells_state(value: Any) -> bool:
    """Whether it says what its state is, in whatever words."""
    names = ("state_dict", "load_state_dict")
    # Those of pcm's links and losses are in the state of their Chain.
    is_ours = type(value).__module__.partition(".")[0] == "pcm"
    return not is_ours and all(callable(getattr(value, name, None)) for name in names)


def can_be_made(kind: type) -> bool:
    """Whether another one is made by setting its fields, which runs nobody's code."""
    is_tuple = issubclass(kind, tuple) and hasattr(kind, "_fields")
    is_plain = dataclasses.is_dataclass(kind) or is_tuple or kind is types.SimpleNamespace
    return is_plain and can_be_found(kind)


def can_be_found(kind: type) -> bool:
    """Whether its names lead to it."""
    return find_class(kind.__module__, kind.__qualname__) is kind


def find_class(module: str, qualname: str) -> type | None:
    """A class of a module that is imported already."""
    found: Any = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, name, None)
    return found if isinstance(found, type) else None


def attributes_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Those in its `__dict__` and in its slots; of a module, those that are not torch's own."""
    skipped: frozenset[str] = frozenset()
    if isinstance(value, nn.Module):
        skipped = _base_names(isinstance(value, LightningModule))
    for name, each in list(getattr(value, "__dict__", {}).items()):
        if name not in skipped:
            yield name, each
    for name in _slots(type(value)):
        if hasattr(value, name):
            yield name, getattr(value, name)


def is_data(name: str, value: Any) -> bool:
    """Whether an attribute of a class is data: neither code nor Python's own."""
    is_code = is_fixed(value) or callable(value) or hasattr(value, "__get__")
    return not (is_code or name.startswith("__") or name == "_abc_impl")


@cache
def _base_names(is_lightning: bool) -> frozenset[str]:
    """The attributes that every module has."""
    base: nn.Module = LightningModule() if is_lightning else nn.Module()
    return frozenset({*vars(base), "_hparams", "_hparams_initial", "_hparams_name", *LAZY_HOOKS})


def _slots(kind: type) -> Iterator[str]:
    for each in kind.__mro__:
        slots = vars(each).get("__slots__", ())
        names = (slots,) if isinstance(slots, str) else slots
        yield from (name for name in names if not name.startswith("__"))


def held_by(value: Any) -> list[Any]:
    """What a method, a partial or a function's closure holds."""
    if isinstance(value, types.MethodType):
        return [value.__self__]
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    return [_content_of(cell) for cell in value.__closure__ or ()]


def set_held(function: Any, values: list[Any]) -> None:
    """Set what a function's closure holds; in methods and partials it changes in place alone."""
    if isinstance(function, types.FunctionType):
        for cell, value in zip(function.__closure__ or (), values, strict=False):
            cell.cell_contents = value


def _content_of(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def children_of(value: Any) -> Iterator[Any]:
    """What is in it that may change, each by the way in which it would be written."""
    if isinstance(value, HOLDERS):
        yield from held_by(value)
    elif isinstance(value, nn.Module):
        for module in value.modules():
            yield from tensors_of(module).values()
            yield from (each for _, each in attributes_of(module))
    elif is_seen_through(value):
        yield from (each for _, each in attributes_of(value))
    if isinstance(value, dict):
        yield from dict.values(value)
    elif is_container(value) and not isinstance(value, set | frozenset):
        # A set has another order in each process, and so what is in it other numbers.
        yield from value


def tag_of(container: Any) -> tuple[str, Any]:
    """The tag of a container, and what else makes it."""
    if isinstance(container, deque):
        return "deque", container.maxlen
    if isinstance(container, defaultdict):
        name = getattr(container.default_factory, "__name__", "")
        known = _FACTORIES.get(name) is container.default_factory
        return "defaultdict", name if known else UNKNOWN
    return type(container).__name__, None


def make_container(tag: str, extra: Any) -> Any:
    """An empty one, which can be filled; None if that can't be made."""
    if tag == "deque":
        return deque(maxlen=extra)
    if tag == "defaultdict":
        return defaultdict(_FACTORIES[extra]) if extra in _FACTORIES else None
    return {"list": list, "dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}[tag]()


def empty_array(shape: list[int]) -> Any:
    """An array for objects."""
    return np.empty(shape, dtype=object)
