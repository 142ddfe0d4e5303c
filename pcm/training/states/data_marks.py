"""Tells data, which stay as they were read, from an order of theirs that somebody shuffles."""

import hashlib
import sys
from typing import Any
from weakref import ref

import numpy as np
from torch import Tensor

from pcm.internals.tensors import mark_of

MOST_BYTES = 16 << 20
"""Of one attribute: an order of two million elements, whose digest takes 20 ms."""

_Marks = dict[str, Any]

_met: dict[int, tuple[ref[Any], _Marks]] = {}
"""What holders had when they were first met in this process: by the ids of those that live.

Loaders may be made anew around a dataset that has been shuffled since it was built.
"""


def note(holder: Any) -> None:
    """Remember what is in a holder's attributes, if it is met for the first time."""
    key = id(holder)
    if key in _met:
        return
    try:
        living = ref(holder, lambda _: _met.pop(key, None))
    except TypeError:  # it can't be told whether it lives
        return
    _met[key] = living, {name: _mark(value) for name, value in vars(holder).items()}


def is_changed(holder: Any, name: str) -> bool:
    """Whether an attribute is another, or has another content, than when its holder was met."""
    if id(holder) not in _met:
        return False
    _, marks = _met[id(holder)]
    return bool(marks.get(name) != _mark(vars(holder)[name]))


def was_there(holder: Any, name: str) -> bool:
    """Whether an attribute had a content already: what comes later may be data read late."""
    return id(holder) in _met and _met[id(holder)][1].get(name) is not None


def bytes_of(value: Any) -> int:
    """About how many bytes a tensor, an array or a list has; 0 of anything else."""
    if isinstance(value, Tensor | np.ndarray):
        return int(value.nbytes)
    return sum(map(_bytes_in, value)) if isinstance(value, list | tuple) else 0


def _bytes_in(value: Any) -> int:
    return bytes_of(value) or sys.getsizeof(value)


def _mark(value: Any) -> Any:
    """What is another as soon as the content is, of a large one if it is another object."""
    if isinstance(value, list):
        # What is in it stays what it was; where it is, doesn't.
        return hash(tuple(map(id, value)))
    if not isinstance(value, Tensor | np.ndarray):
        return None
    if value.nbytes > MOST_BYTES:
        return id(value), getattr(value, "_version", None)
    if isinstance(value, Tensor):
        return mark_of(value)
    return hashlib.blake2b(value.tobytes(), digest_size=16).digest()
