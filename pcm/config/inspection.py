"""Comparing values with structures; what is said about those that don't fit."""

import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pcm.config.by_object import ByObject
from pcm.config.keys import Keys
from pcm.config.names import nearest_name
from pcm.config.wording import hint_for, shown, shown_with_kind

T = TypeVar("T")

ConfigStructure = Any
"""A dict, list, tuple, type, union, None, `Namespace` or `Shape`, nested at will."""

_WRONG_TYPE = "wrong type"


class Finding(NamedTuple):
    """One thing wrong, relative to the value that was inspected.

    Attributes:
        keys: from the inspected value to the offending one.
        problem, found, expected, hint: as in `pcm.errors.Fault`.
    """

    keys: Keys
    problem: str
    found: str | None = None
    expected: str | None = None
    hint: str | None = None

    def under(self, *keys: str | int) -> "Finding":
        """The finding as seen from a value that holds the inspected one at `keys`."""
        return self._replace(keys=keys + self.keys)


Findings = Sequence[Finding]


class Shape:
    """A structure that plain Python data can't express."""

    # No ABC: an isinstance check against one costs ten times as much.

    def _inspect(self, value: Any, inspector: "Inspector") -> Findings:
        """What is wrong with `value`."""
        raise NotImplementedError

    def __str__(self) -> str:
        """What is expected, in a few words."""
        raise NotImplementedError


class Inspector:
    """Compares values with structures, each mapping or list once.

    A container that was inspected is known by its identity from then on, so of a config
    that shares most of its parts with an earlier one only the rest is looked at. Nothing
    that was inspected may be changed in place while the inspector is in use.
    """

    def __init__(self) -> None:
        self._known: ByObject[Any] = ByObject()

    def inspect(self, value: Any, structure: ConfigStructure) -> Findings:
        """What is wrong with `value`."""
        if not isinstance(value, (dict, list)):
            return self.look(value, structure)
        token = (id(value), id(structure))
        known = self._known.get(token)
        findings: Findings
        if known is not None:
            findings = known[0]
        else:
            findings = self._known.keep(token, self.look(value, structure), value, structure)
        return findings

    def look(self, value: Any, structure: ConfigStructure) -> Findings:
        """As `inspect`, without remembering `value` itself."""
        if structure is Namespace or (type(value) is structure and structure is not float):
            return ()
        if isinstance(structure, Shape):
            return structure._inspect(value, self)
        if isinstance(structure, dict):
            return inspect_mapping(value, structure, {}, self)
        if isinstance(structure, list):
            return _look_at_list(value, structure, self)
        if isinstance(structure, tuple):
            return _look_at_alternatives(value, structure, self)
        return _look_at_scalar(value, _types_of(structure))

    def once(self, function: Callable[..., T], *parts: Any) -> T:
        """`function(self, *parts)`, computed once for the same objects."""
        token = (id(function), *map(id, parts))
        known = self._known.get(token)
        result: T
        if known is not None:
            result = known[0]
        else:
            result = self._known.keep(token, function(self, *parts), function, *parts)
        return result

    def inspect_entries(self, value: dict[str, Any], fields: Mapping[str, Any]) -> list[Finding]:
        """What is wrong with the entries of `value` that `fields` has a structure for."""
        findings: list[Finding] = []
        for key, structure in fields.items():
            if key in value:
                inside = self.inspect(value[key], structure)
                if inside:
                    findings += [finding.under(key) for finding in inside]
        return findings


def _types_of(structure: ConfigStructure) -> tuple[type, ...]:
    if structure is None:
        return (NoneType,)
    if isinstance(structure, type):
        return (structure,)
    origin: Any = get_origin(structure)
    if origin in (UnionType, Union):
        return get_args(structure)
    raise TypeError(f"not a ConfigStructure: {structure!r}")


def _look_at_scalar(value: Any, types: tuple[type, ...]) -> Findings:
    for wanted in types:
        if _is_of_type(value, wanted):
            return ()
    if float in types and type(value) in (int, float):
        return [Finding((), "not a finite number", shown(value), "a finite number")]
    hints = (hint_for(value, wanted) for wanted in types)
    expected = " or ".join(map(_type_name, types))
    hint = next(filter(None, hints), None)
    return [Finding((), _WRONG_TYPE, shown_with_kind(value), expected, hint)]


def _is_of_type(value: Any, wanted: type) -> bool:
    if wanted is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def _look_at_list(value: Any, structure: list[ConfigStructure], inspector: Inspector) -> Findings:
    if len(structure) != 1:
        raise TypeError(f"a list structure has one item, which all items fit: {structure!r}")
    if not isinstance(value, list):
        return [_wrong_type(value, list, summary(structure))]
    return [
        finding.under(index)
        for index, item in enumerate(value)
        for finding in inspector.inspect(item, structure[0])
    ]


def _look_at_alternatives(
    value: Any, alternatives: tuple[ConfigStructure, ...], inspector: Inspector
) -> Findings:
    attempts: list[Findings] = []
    for alternative in alternatives:
        attempts.append(inspector.inspect(value, alternative))
        if not attempts[-1]:
            return ()
    distances = [_distance(findings) for findings in attempts]
    closest = distances.index(min(distances))
    if distances[closest] >= _OTHER_KIND:
        expected = " or ".join(map(summary, alternatives))
        hint = next((findings[0].hint for findings in attempts if findings[0].hint), None)
        return [Finding((), "fits no alternative", shown_with_kind(value), expected, hint)]
    if sum(alternative is not None for alternative in alternatives) == 1:
        return attempts[closest]
    reason = f"(of {len(alternatives)} alternatives, closest is {summary(alternatives[closest])})"
    return [
        finding._replace(problem=f"{finding.problem} {reason}") for finding in attempts[closest]
    ]


_OTHER_KIND = 1_000


def _distance(findings: Findings) -> int:
    """How far a value is from an alternative; one of another kind is farthest."""
    return sum(
        _OTHER_KIND if finding.problem == _WRONG_TYPE and not finding.keys else 1
        for finding in findings
    )


def inspect_mapping(
    value: Any,
    required: Mapping[str, ConfigStructure],
    optional: Mapping[str, ConfigStructure],
    inspector: Inspector,
) -> Findings:
    """What is wrong with a mapping that has all `required` keys and maybe `optional` ones."""
    if not isinstance(value, dict):
        return [_wrong_type(value, dict, "a mapping" + _with_keys(required))]
    findings = inspector.inspect_entries(value, required)
    if optional:
        findings += inspector.inspect_entries(value, optional)
    if value.keys() != required.keys():
        findings += _key_findings(value, required, optional)
    return findings


def _key_findings(
    value: dict[str, Any],
    required: Mapping[str, ConfigStructure],
    optional: Mapping[str, ConfigStructure],
) -> Iterator[Finding]:
    missing = [key for key in required if key not in value]
    absent = missing + [key for key in optional if key not in value]
    known = [*required, *optional]
    for key in value:
        if key in required or key in optional:
            continue
        nearest = nearest_name(str(key), absent)
        if nearest in missing:
            # One slip of the pen is one fault, not an unknown and a missing key.
            missing.remove(nearest)
        meant = nearest or _place_below(value, key)
        hint = None if meant is None else f"did you mean '{meant}'?"
        expected = f"one of {', '.join(known)}" if known else "no keys here"
        yield Finding((key,), f"unknown key '{key}'", expected=expected, hint=hint)
    for key in missing:
        structure = required[key]
        may_be_null = isinstance(structure, tuple) and None in structure
        hint = f"write '{key}: null' for none" if may_be_null else None
        yield Finding((key,), f"missing key '{key}'", expected=summary(structure), hint=hint)


def _place_below(value: dict[str, Any], key: Any) -> str | None:
    """Where a key stands further down, for whoever left out a step of the way to it."""
    for step, below in value.items():
        if isinstance(below, dict):
            deeper = str(key) if key in below else _place_below(below, key)
            if deeper is not None:
                return f"{step}.{deeper}"
    return None


def _wrong_type(value: Any, wanted: type, expected: str) -> Finding:
    return Finding((), _WRONG_TYPE, shown_with_kind(value), expected, hint_for(value, wanted))


def summary(structure: ConfigStructure) -> str:
    """What a structure expects, in a few words."""
    if isinstance(structure, Shape):
        return str(structure)
    if structure is Namespace:
        return "anything"
    if isinstance(structure, dict):
        return "a mapping" + _with_keys(structure)
    if isinstance(structure, list):
        return f"a list, each item {summary(structure[0])}"
    if isinstance(structure, tuple):
        return " or ".join(map(summary, structure))
    return " or ".join(map(_type_name, _types_of(structure)))


def _with_keys(fields: Mapping[str, Any]) -> str:
    return f" with {', '.join(fields)}" if fields else ""


def _type_name(wanted: type) -> str:
    return "null" if wanted is NoneType else wanted.__name__
