"""Dataclasses as JSON files, whose fields are of one type each.

A file that can't be what it should be is a `Damaged`: a value, since whoever looks at ten
thousand attempts must tell of the one file and go on with the others.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from pcm.run_dir.files import create_json, write_json

R = TypeVar("R")

_decode = json.JSONDecoder().decode

_AT_ONCE = 1 << 16

_EMPTY = "it is no JSON: it is empty"

LEFT_OUT = {"is_left_out": True}
"""Metadata of a field that a file is without where it is None."""


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file, or one of its lines, that holds no such record.

    Attributes:
        reason: what is wrong with it, for people.
        line: from 1; None for the whole file.
    """

    path: Path
    reason: str
    line: int | None = None

    @property
    def place(self) -> str:
        """The path, with the line."""
        return str(self.path) if self.line is None else f"{self.path}:{self.line}"

    def __str__(self) -> str:
        return f"{self.place} is damaged: {self.reason}"


def read(kind: type[R], path: Path | str) -> R | Damaged | None:
    """The record in a file, None where there is no such file.

    Keys that this version does not know are left out, and those of later versions may be missing.
    """
    content = read_object(path)
    if not isinstance(content, dict):
        return content
    try:
        return record_of(kind, content)
    except ValueError as error:
        return Damaged(Path(path), str(error))


def read_checked(kind: type[Any], path: Path) -> dict[str, Any] | Damaged | None:
    """As `read`, as plain data: with what `kind` does not know, and without what is missing."""
    content = read_object(path)
    if not isinstance(content, dict):
        return content
    try:
        checked(kind, content)
    except ValueError as error:
        return Damaged(path, str(error))
    return content


def read_object(path: Path | str) -> dict[str, Any] | Damaged | None:
    """The JSON object in a file, None where there is no such file."""
    try:
        return parse_object(_content(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        return Damaged(Path(path), unreadable(error))
    except ValueError as error:
        return Damaged(Path(path), str(error))


def _content(path: Path | str) -> bytes:
    """As `Path.read_bytes`, which takes twice as long where files are small."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return b"".join(iter(partial(os.read, descriptor, _AT_ONCE), b""))
    finally:
        os.close(descriptor)


def unreadable(error: OSError) -> str:
    """What is wrong with a file that the system does not let us read."""
    return f"it cannot be read: {error.strerror or error}"


def parse_object(data: bytes) -> dict[str, Any]:
    """The JSON object in a file's content.

    Raises:
        ValueError: it is none; says so in a way that people understand.
    """
    try:
        content = _parsed(data)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is no JSON: {error}" if data.strip() else _EMPTY) from None
    if not isinstance(content, dict):
        raise ValueError("it holds no JSON object")
    return content


def parse_objects(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """The JSON objects in lines that hold one each, parsed as one text.

    Raises:
        ValueError: that can't be, since one line or another is no such object.
    """
    try:
        content = _parsed(b"[" + b",".join(lines) + b"]")
    except RecursionError as error:
        raise ValueError(str(error)) from None
    # A value that runs over two lines is one too few.
    if len(content) != len(lines) or not all(type(each) is dict for each in content):
        raise ValueError("a line holds no JSON object")
    return list(content)


def _parsed(data: bytes) -> Any:
    content = _decode(data.decode())
    if b"\\ud" in data or b"\\uD" in data or b"\xed" in data:
        # Half a character can be in a JSON file, but neither on a terminal nor in a path.
        json.dumps(content, ensure_ascii=False).encode()
    return content


def record_of(kind: type[R], content: Mapping[str, Any]) -> R:
    """The record in a JSON object.

    Raises:
        ValueError: a value is missing or of another type; says which.
    """
    return kind(**checked(kind, content))


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


def checked(kind: Any, content: Mapping[str, Any]) -> dict[str, Any]:
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
    plain = frozenset({bool, float, int, str, NoneType})
    return (frozenset(inner) & plain) | {_origin(each) for each in inner if _holds_any(each)}


def _holds_any(wanted: Any) -> bool:
    return _origin(wanted) in (dict, list) and get_args(wanted)[-1] is Any


def _origin(wanted: Any) -> Any:
    """Of a mapping, what it is in a file."""
    origin = get_origin(wanted)
    return dict if origin is Mapping else origin


def _converted(name: str, wanted: Any, value: Any) -> Any:
    try:
        return _as(wanted, value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"its '{name}' is of another type") from None


def _as(wanted: Any, value: Any) -> Any:
    """A value as the type that is wanted; raises TypeError or ValueError where it is another."""
    origin, inner = _origin(wanted), get_args(wanted)
    if origin is UnionType:
        return _as_one_of(inner, value)
    if wanted is Any or (_holds_any(wanted) and type(value) is origin):
        return value
    if origin is list and isinstance(value, list):
        return [item if type(item) is inner[0] else _as(inner[0], item) for item in value]
    if origin is dict and isinstance(value, dict):
        return {key: _as(inner[1], item) for key, item in value.items()}
    if (wanted is float and type(value) is int) or _is_made(wanted, origin):
        return _made(wanted, value)
    if type(value) is not wanted:
        raise TypeError
    return value


def _is_made(wanted: Any, origin: Any) -> bool:
    return origin is None and (issubclass(wanted, Enum) or is_dataclass(wanted))


def _made(kind: Any, value: Any) -> Any:
    """A number, a member of an enum, or a record inside of a record."""
    if kind is float or issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, dict):
        raise TypeError
    return kind(**checked(kind, value))


def _as_one_of(kinds: Sequence[Any], value: Any) -> Any:
    for kind in kinds:
        try:
            return _as(kind, value)
        except (TypeError, ValueError, OverflowError):
            continue
    raise TypeError
