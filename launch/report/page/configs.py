"""Configs of many points as what they share and how each differs from that."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pcm.config.keys import item_parts

Flat = dict[str, str]
"""Values by path, as JSON, since that tells 1 from "1"."""


Own = dict[str, str | None]
"""What a config has instead; None for what it is without."""


def shared_and_own(configs: Sequence[Mapping[str, Any]]) -> tuple[Flat, list[Own]]:
    """The most frequent value of each path, and for each config what it has instead."""
    flat = [dict(_leaves(config)) for config in configs]
    counts: dict[str, Counter[str]] = {}
    for config in flat:
        for path, value in config.items():
            counts.setdefault(path, Counter())[value] += 1
    shared = {path: values.most_common(1)[0][0] for path, values in counts.items()}
    own = [
        {path: config.get(path) for path, value in shared.items() if config.get(path) != value}
        for config in flat
    ]
    return shared, own


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inside in value.items():
            yield from _leaves(inside, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(each, Mapping | list) for each in value):
        for part, inside in zip(item_parts(value), value, strict=True):
            yield from _leaves(inside, f"{path}.{part}" if path else part)
    else:
        yield path, json.dumps(value, ensure_ascii=False, default=str)
