"""Key paths: how a value's place in a config is written."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

Keys = tuple[str | int, ...]
"""Where a value stands: the keys and list indices that lead to it."""

NAME_KEYS = ("name", "command_name", "link_name", "node_name")
"""Keys by which a list's items are called, e.g. `chain.encoder` for the item of that name."""

_WRITABLE = re.compile(r"(?!\d+$)[^.\s]+")


_MOST_DIGITS = 9
"""Of an index; Python refuses to read numbers of thousands, and no list is as long."""


def index_in(part: str) -> int | None:
    """The index that a path's part is written as; None where it is a name."""
    return int(part) if part.isdecimal() and len(part) <= _MOST_DIGITS else None


def value_at(config: Any, keys: Keys) -> Any:
    """What stands at a place; None where one of its keys isn't there."""
    for key in keys:
        if config is None:
            return None
        config = config.get(key) if isinstance(config, dict) else config[key]
    return config


def overlap(first: Keys, second: Keys) -> bool:
    """Whether one place lies within the other, or is the same."""
    length = min(len(first), len(second))
    return first[:length] == second[:length]


def overlapping(places: Sequence[Keys]) -> bool:
    """Whether two of the places overlap."""
    return any(itertools.starmap(overlap, itertools.combinations(places, 2)))


def item_name(item: Any) -> str | None:
    """The name of a list item; None where it has none."""
    if not isinstance(item, dict):
        return None
    names = (item.get(key) for key in NAME_KEYS)
    return next((name for name in names if isinstance(name, str)), None)


def item_names(items: Sequence[Any]) -> list[str]:
    """The names by which items of a list can be called, in order, without shared ones."""
    names = [name for item in items if (name := item_name(item)) is not None]
    return [name for name in names if names.count(name) == 1 and _WRITABLE.fullmatch(name)]


def item_parts(items: Sequence[Any]) -> list[str]:
    """How a path calls each item of a list: by a name of its own, else by its index."""
    names = item_names(items)
    named = ((index, item_name(item)) for index, item in enumerate(items))
    return [name if name is not None and name in names else str(index) for index, name in named]


def dotted(root: Any, keys: Keys) -> str:
    """The path as a person writes it: list items by name where they have one of their own."""
    return ".".join(_parts(root, keys))


def _parts(value: Any, keys: Keys) -> Iterator[str]:
    for key in keys:
        parts = item_parts(value) if isinstance(value, list) else []
        called: dict[str | int, str] = dict(enumerate(parts))
        yield called.get(key, str(key))
        value = value[key] if _has(value, key) else None


def _has(value: Any, key: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(key, int) and key < len(value)
    return isinstance(value, dict) and key in value
