"""How values are shown to a person, and what to try about the usual mistakes."""

import json
from typing import Any

from pcm.config.scalars import resolve_scalar

_KINDS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "nothing",
    dict: "a mapping",
    list: "a list",
}
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false"}
_LONGEST = 60


def shown(value: Any) -> str:
    """The value as YAML would have it, shortened, with its kind where that helps."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _shortened("a mapping of " + ", ".join(map(str, value))) if value else "{}"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "[]"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return _shortened(text)


def shown_with_kind(value: Any) -> str:
    """As `shown`, and what it is: `"3" (a string)`."""
    if value is None or isinstance(value, (dict, list)):
        return shown(value)
    return f"{shown(value)} ({_KINDS.get(type(value), type(value).__name__)})"


_MARKS = frozenset("{}[]:#&*!|>'%@`")
"""What YAML takes for more than a part of a word."""


def hint_for(value: Any, wanted: type) -> str | None:
    """What to try where a value of another type was wanted."""
    if isinstance(value, str):
        return _hint_for_string(value, wanted)
    if wanted is int and isinstance(value, float) and value.is_integer():
        return f"write {int(value)}"
    if wanted is str and isinstance(value, (bool, int, float)):
        return f'put it in quotes: "{shown(value)}"'
    if wanted is list:
        return _hint_for_list(value)
    if wanted is dict:
        return _hint_for_mapping(value)
    return None


def _hint_for_string(text: str, wanted: type) -> str | None:
    if wanted is bool and text.lower() in _BOOLEAN_WORDS:
        return f"write {_BOOLEAN_WORDS[text.lower()]}"
    if wanted in (bool, int, float) and isinstance(resolve_scalar(text), wanted):
        return "remove the quotes"
    return f"write a list, e.g. [{_as_items(text)}]" if wanted is list else None


def _as_items(text: str) -> str:
    """Words as items, such as those of a command; what has commas is written as it is."""
    if "," in text:
        return text
    return ", ".join(f'"{word}"' if set(word) & _MARKS else word for word in text.split())


def _hint_for_list(value: Any) -> str:
    if value is None:
        return "write [] for a list without items"
    if isinstance(value, dict):
        return "begin every item with '- '"
    return f"write a list, e.g. [{shown(value)}]"


def _hint_for_mapping(value: Any) -> str | None:
    if value is None:
        return "write {} for a mapping without keys"
    return "write 'key: value' without '- '" if isinstance(value, list) else None


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
