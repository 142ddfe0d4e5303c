"""What MLflow takes: of which characters a name is, how long a text, how much a request."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pcm.tracking.tree_names import digest

_LONGEST_NAME = 200
_MOST_BYTES = 240
"""Of 255, so that nine more have room (see `TreeNames`)."""

_UNSAFE = re.compile(r"[^/\w.\- :]")

_MOST_CHARACTERS = 500_000
"""Of a request, half of what a server takes, as JSON: of others than ASCII it makes six each."""

T = TypeVar("T")


def safe_name(key: str) -> str:
    """A name that MLflow takes; different keys never share one."""
    parts = _UNSAFE.sub("_", key).split("/")
    safe = "/".join(part for part in parts if part not in {"", ".", ".."})[:_LONGEST_NAME]
    return safe if safe == key and safe else f"{safe}-{digest(key)}"


def file_name(key: str) -> str:
    """The same for a store in files, whose names file systems bound in bytes, not characters."""
    name = safe_name(key)
    encoded = name.encode(errors="replace")
    if len(encoded) <= _MOST_BYTES:
        return name
    return f"{encoded[:_LONGEST_NAME].decode(errors='ignore')}-{digest(name)}"


def shortened(text: str, longest: int) -> str:
    """The text, or its beginning with a mark that more follows."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def batches(items: Iterable[T], most: int, text_of: Callable[[T], str]) -> Iterator[list[T]]:
    """Items in order, as many at once as a request takes.

    Args:
        text_of: what of an item is long, where anything is.
    """
    batch: list[T] = []
    left = _MOST_CHARACTERS
    for item in items:
        size = len(json.dumps(text_of(item))) + _ROOM
        if batch and (len(batch) == most or size > left):
            yield batch
            batch, left = [], _MOST_CHARACTERS
        batch.append(item)
        left -= size
    if batch:
        yield batch


_ROOM = 150
"""Characters for the names of an item's fields, and for its numbers."""
