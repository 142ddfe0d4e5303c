"""Nested configs as the flat fields that trackers keep."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Field = str | int | float | bool


def flatten(record: Any, prefix: str) -> dict[str, Field]:
    """`{"a": [{"b": 1}]}` under `config` becomes `{"config/a/0/b": 1}`.

    Lists of plain values become one JSON text each; null becomes the text "null".
    """
    return dict(_leaves(record, prefix))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Field]]:
    if isinstance(value, Mapping) and value:
        for key, child in value.items():
            yield from _leaves(child, f"{path}/{key}")
    elif _is_list(value) and any(isinstance(child, Mapping) or _is_list(child) for child in value):
        for index, child in enumerate(value):
            yield from _leaves(child, f"{path}/{index}")
    else:
        yield path, value if isinstance(value, Field) else json.dumps(value, default=str)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
