"""Parameters as a Sacred script reads them from its command line."""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

_LAST = float("inf")
"""The priority of a named config that has none."""


def as_sacred(value: Any) -> Any:
    """A value as a param whose text on a command line is read as the same value.

    Sacred reads Python's literals, and takes what is none for a text: `true`, as JSON has it,
    would be the text "true", which is not false either.
    """
    if isinstance(value, str):
        return repr(value) if _is_literal(value) else value
    return repr(value) if _has_words(value) else value


def as_sacred_each(values: Sequence[Any]) -> list[Any]:
    """The values of an axis."""
    return [as_sacred(value) for value in values]


def sacred_words(names: Sequence[str], fixed: Mapping[str, Any]) -> list[str]:
    """What stands behind `with`: named configs first, in the order of their priority."""
    plain = [name for name in dict.fromkeys(names) if not name.startswith("+")]
    named = [name for name in dict.fromkeys(names) if name.startswith("+")]
    heads = [name for name in named if not name.endswith(".priority")]
    heads.sort(key=lambda name: fixed.get(f"{name.removesuffix('.name')}.priority", _LAST))
    return [*(f"{{{name}}}" for name in heads), *(f"{name}={{{name}}}" for name in plain)]


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
    return True


def _has_words(value: Any) -> bool:
    """Whether JSON and Python spell a value differently."""
    if isinstance(value, dict):
        return any(map(_has_words, value.values()))
    if isinstance(value, list):
        return any(map(_has_words, value))
    return value is None or isinstance(value, bool)
