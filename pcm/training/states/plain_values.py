"""Numbers, times and arrays of the kinds that don't load by themselves, as plain data and back."""

import io
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from itertools import count
from pathlib import PosixPath
from typing import Any
from uuid import UUID

import numpy as np
import torch

PLAIN = (type(None), bool, int, float, str, bytes, PosixPath, torch.dtype, torch.Size)
"""Which load by themselves, and which processes share among attributes or not as they like."""

_ZONES = (type(None), timezone)
"""Of times, which ISO 8601 can tell apart."""

_OF_PARTS: Mapping[str, Any] = {
    each.__name__: each for each in (complex, Fraction, timedelta, count, range, slice)
}

_OF_TEXT: Mapping[str, Any] = {each.__name__: each for each in (datetime, date, time)}

_ENDS = (type(None), int)

_KINDS = "biufcSUMmV"
"""NumPy's letters for what is no object."""


def value_node(value: Any) -> list[Any] | None:
    """The node of a value that never changes, without its number; None of anything else."""
    kind = type(value)
    if kind in (datetime, date, time) and type(getattr(value, "tzinfo", None)) not in _ZONES:
        return None
    if kind in (range, slice) and any(type(each) not in _ENDS for each in _ends(value)):
        return None
    if kind is count:
        return _count_node(value)
    return [kind.__name__, _WRITTEN[kind](value)] if kind in _WRITTEN else None


def _ends(value: Any) -> list[Any]:
    return [value.start, value.stop, value.step]


_WRITTEN: Mapping[type, Any] = {
    complex: lambda value: [value.real, value.imag],
    Decimal: str,
    UUID: str,
    Fraction: lambda value: [value.numerator, value.denominator],
    timedelta: lambda value: [value.days, value.seconds, value.microseconds],
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    range: _ends,
    slice: _ends,
    bytearray: bytes,
}


def _count_node(counter: Any) -> list[Any] | None:
    """By what it prints, since it has no other way to be looked at: `count(3)`, `count(3, 2)`."""
    try:
        words = repr(counter).removeprefix("count(").removesuffix(")").split(", ")
        return ["count", [int(word) for word in words]]
    except ValueError:  # of other numbers than integers
        return None


def rebuild_value(tag: str, content: Any) -> Any:
    """The value again.

    Raises:
        KeyError: a newer pcm wrote it.
    """
    if tag in _OF_PARTS:
        return _OF_PARTS[tag](*content)
    if tag in _OF_TEXT:
        return _OF_TEXT[tag].fromisoformat(content)
    return {"Decimal": Decimal, "UUID": UUID, "bytearray": bytearray}[tag](content)


def array_node(array: Any) -> list[Any] | None:
    """The node of an array or a scalar of NumPy's; None of one with more to it than its values."""
    if not isinstance(array, np.generic) and type(array) is not np.ndarray:
        return None
    if array.dtype.kind not in _KINDS or array.dtype.hasobject:
        return None
    is_scalar = isinstance(array, np.generic)
    copy = np.array(array)
    try:
        return ["array", torch.from_numpy(copy), is_scalar]
    except (TypeError, ValueError):  # a type or an order of bytes that torch hasn't
        written = io.BytesIO()
        np.save(written, copy, allow_pickle=False)
        return ["array", written.getvalue(), is_scalar]


def rebuild_array(content: torch.Tensor | bytes, *, is_scalar: bool, present: Any) -> Any:
    """The array, in the memory of the one that is there if it fits; or the scalar."""
    if isinstance(content, bytes):
        array = np.load(io.BytesIO(content), allow_pickle=False)
    else:
        array = content.numpy().copy()
    if is_scalar:
        return array[()]
    is_there = type(present) is np.ndarray and present.flags.writeable
    if is_there and (present.shape, present.dtype) == (array.shape, array.dtype):
        present[...] = array
        return present
    return array
