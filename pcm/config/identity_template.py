"""Identities of configs that differ in a few places only."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pcm.config.identity import Identifier, hash_of_text, identity_of_text, label
from pcm.config.keys import Keys
from pcm.config.override import with_value
from pcm.config.structures.run_command import RUN

_FILTERED = ("trainer", RUN)
"""Sections of which not every entry counts, which may depend on what stands there."""

_Columns = Mapping[int, Sequence[Any]]
"""The values of all configs at each of the places, by its position among these."""

_Entry = Callable[[_Columns], Iterable[str]]
"""An entry's text in each config; empty where it isn't counted."""


def serves(places: Sequence[Keys]) -> bool:
    """Whether a template can be made: which entries count is the same for all values there."""
    return all(
        keys[0] not in _FILTERED or (len(keys) > 2 and keys[1] != "callbacks") for keys in places
    )


class IdentityTemplate:
    """The text of a config that is hashed, with gaps for the values at some places.

    It is filled for many configs at once, level by level: only the mappings and lists around the
    gaps are hashed, and those of a section once for all configs that share its values.

    Args:
        places: one at least, none within another.
    """

    def __init__(
        self, identifier: Identifier, config: Any, places: Sequence[Keys], **more: Any
    ) -> None:
        gaps: dict[str | int, Any] = {}
        for position, keys in enumerate(places):
            # Anything but null, which on the first level isn't counted.
            config = with_value(config, keys, 0)
            inner = gaps
            for key in keys[:-1]:
                inner = inner.setdefault(key, {})
            inner[keys[-1]] = position
        counting = identifier.counting(config, **more)
        self._entries = [
            _entry(identifier, key, counting[key], gaps.get(key)) for key in sorted(counting)
        ]

    def identities(self, columns: Sequence[Sequence[Any]]) -> list[str]:
        """As `Identifier.identity` of configs that have these values, a column for each place."""
        values = dict(enumerate(columns))
        rows = zip(*(entry(values) for entry in self._entries), strict=True)
        return [identity_of_text("{" + ",".join(filter(None, row)) + "}") for row in rows]


def _entry(identifier: Identifier, key: str, value: Any, gap: Any) -> _Entry:
    """An entry of the first level, where a null isn't counted."""
    begin = label(key)
    if gap is None:
        steady = begin + identifier.canonical(value)
        return lambda columns: itertools.repeat(steady, _count(columns))
    canonical = identifier.canonical
    if isinstance(gap, int):
        return lambda columns: (
            "" if value is None else begin + canonical(value) for value in columns[gap]
        )
    section, positions = _Text(identifier, value, gap), tuple(_positions(gap))
    return lambda columns: (
        begin + text for text in _each_once(section, {at: columns[at] for at in positions})
    )


def _each_once(section: "_Text", columns: _Columns) -> Iterator[str]:
    """What stands for a section in each config, made once for those with the same values in it."""
    tokens = [*zip(*(map(id, column) for column in columns.values()), strict=True)]
    chosen = {token: row for row, token in enumerate(tokens)}
    distinct = {at: [column[row] for row in chosen.values()] for at, column in columns.items()}
    hashes = dict(zip(chosen, section.hashes(distinct), strict=True))
    return map(hashes.__getitem__, tokens)


class _Text:
    """A mapping's or list's text: what it begins with, and each of its gaps with what follows."""

    def __init__(self, identifier: Identifier, container: Any, gaps: Mapping[Any, Any]) -> None:
        self._canonical = identifier.canonical
        within: list[int | _Text] = []
        steady = [""]
        for part in _parts(identifier, container, gaps):
            if isinstance(part, str):
                steady[-1] += part
            else:
                within.append(part)
                steady.append("")
        self._begin, *after = steady
        self._gaps = list(zip(within, after, strict=True))

    def hashes(self, columns: _Columns) -> list[str]:
        """What stands for it in the text around it, with the values of each config."""
        # There may be no gap: that of an entry which isn't counted.
        texts: Iterable[str] = itertools.repeat(self._begin, _count(columns))
        for gap, after in self._gaps:
            inside = self._inside(gap, columns)
            texts = [f"{text}{piece}{after}" for text, piece in zip(texts, inside, strict=True)]
        return [*map(hash_of_text, texts)]

    def _inside(self, gap: "int | _Text", columns: _Columns) -> Iterable[str]:
        if isinstance(gap, int):
            return map(self._canonical, columns[gap])
        return gap.hashes(columns)


def _parts(
    identifier: Identifier, container: Any, gaps: Mapping[Any, Any]
) -> Iterator[str | int | _Text]:
    """What stands one after the other: texts that stay, positions of values, and texts within."""
    is_mapping = isinstance(container, dict)
    yield "{" if is_mapping else "["
    for place, key in enumerate(sorted(container) if is_mapping else range(len(container))):
        yield ("," if place else "") + (label(key) if is_mapping else "")
        gap = gaps.get(key)
        if gap is None:
            yield identifier.canonical(container[key])
        elif isinstance(gap, int):
            yield gap
        else:
            yield _Text(identifier, container[key], gap)
    yield "}" if is_mapping else "]"


def _positions(gaps: Mapping[Any, Any]) -> Iterator[int]:
    for gap in gaps.values():
        if isinstance(gap, int):
            yield gap
        else:
            yield from _positions(gap)


def _count(columns: _Columns) -> int:
    """How many configs there are."""
    return len(next(iter(columns.values())))
