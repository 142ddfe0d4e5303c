"""Dataclasses as JSON files, whose fields are of one type each.

A file that can't be what it should be is a `Damaged`: a value, since whoever looks at ten
thousand attempts must tell of the one file and go on with the others.
"""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from pcm.run_dir.files import create_json, write_json

R = TypeVar("R")

LEFT_OUT = {"is_left_out": True}
"""Metadata of a field that a file is without where it is None."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file that holds no such record.

    Attributes:
        reason: what is wrong with it, for people.
    """

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} is damaged: {self.reason}"


def read(kind: type[R], path: Path) -> R | Damaged | None:
    """The record in a file, None where there is no such file.

    Keys that this version does not know are left out, and those of later versions may be missing.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        return Damaged(path, f"it cannot be read: {error.strerror}")
    except (ValueError, RecursionError) as error:
        return Damaged(path, f"it is no JSON: {error}")
    if not isinstance(content, dict):
        return Damaged(path, "it holds no JSON object")
    try:
        return parse(kind, content)
    except ValueError as error:
        return Damaged(path, str(error))


def parse(kind: type[R], content: Mapping[str, Any]) -> R:
    """A record from what JSON makes of its file.

    Raises:
        ValueError: a value is missing or of another type; says which.
    """
    return kind(**_checked(kind, content))


def write(path: Path, record: Any, *, durable: bool = True, private: bool = False) -> None:
    """Write a record to its file, as a whole or not at all."""
    write_json(path, plain(record), durable=durable, private=private)


def create(path: Path, record: Any) -> bool:
    """Write a record unless its file exists; see `create_json`."""
    return create_json(path, plain(record))


def plain(record: Any) -> dict[str, Any]:
    """A record as its file holds it."""
    absent = {
        each.name
        for each in fields(record)
        if each.metadata.get("is_left_out") and getattr(record, each.name) is None
    }
    return {name: value for name, value in asdict(record).items() if name not in absent}


class _Field(NamedTuple):
    name: str
    kind: Any
    exact: frozenset[type]
    is_required: bool


@cache
def _fields(kind: Any) -> tuple[_Field, ...]:
    kinds = get_type_hints(kind)
    return tuple(
        _Field(
            each.name,
            kinds[each.name],
            _exact(kinds[each.name]),
            each.default is MISSING and each.default_factory is MISSING,
        )
        for each in fields(kind)
    )


def _checked(kind: Any, content: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a record's fields.

    Raises:
        ValueError: one is missing or of another type; says which.
    """
    values = {}
    for name, wanted, exact, is_required in _fields(kind):
        if name in content:
            value = content[name]
            # Ten thousand attempts are looked at for one table, and most values are simple.
            values[name] = value if type(value) in exact else _converted(name, wanted, value)
        elif is_required:
            raise ValueError(f"it has no '{name}'")
    return values


def _exact(wanted: Any) -> frozenset[type]:
    """Types of which a value is taken as it is."""
    inner = get_args(wanted) if get_origin(wanted) is UnionType else (wanted,)
    return frozenset(inner) & {bool, float, int, str, NoneType}


def _converted(name: str, wanted: Any, value: Any) -> Any:
    try:
        return _as(wanted, value)
    except (TypeError, ValueError):
        raise ValueError(f"its '{name}' is of another type") from None


def _as(wanted: Any, value: Any) -> Any:
    """A value as the type that is wanted; raises TypeError or ValueError where it is another."""
    origin, inner = get_origin(wanted), get_args(wanted)
    if origin is UnionType:
        # Only `X | None` is in use.
        return None if value is None else _as(inner[0], value)
    if origin is list and isinstance(value, list):
        return [item if type(item) is inner[0] else _as(inner[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {key: _as(inner[1], item) for key, item in value.items()}
    if origin is None and (issubclass(wanted, Enum) or is_dataclass(wanted)):
        return _made(wanted, value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise TypeError
    return value


def _made(kind: Any, value: Any) -> Any:
    """A member of an enum, or a record inside of a record."""
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, dict):
        raise TypeError
    return kind(**_checked(kind, value))
