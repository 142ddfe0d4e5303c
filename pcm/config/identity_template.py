"""Identities of configs that differ in a few places only."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pcm.config.by_object import ByObject
from pcm.config.identity import Identifier, hash_of_text, identity_of_text, label
from pcm.config.keys import Keys
from pcm.config.override import with_value
from pcm.config.structures.run_command import RUN

_FILTERED = ("trainer", RUN)
"""Sections of which not every entry counts, which may depend on what stands there."""


def serves(places: Sequence[Keys]) -> bool:
    """Whether a template can be made: which entries count is the same for all values there."""
    return all(
        keys[0] not in _FILTERED or (len(keys) > 2 and keys[1] != "callbacks") for keys in places
    )


class IdentityTemplate:
    """The text of a config that is hashed, with gaps for the values at some places.

    Only the mappings and lists around the gaps are hashed for each config.
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
        self._text = _Text(identifier, counting, gaps, within=_Section)
        self._on_top = [position for position, keys in enumerate(places) if len(keys) == 1]

    def identity(self, values: Sequence[Any]) -> str | None:
        """As `Identifier.identity` of the config that has `values` at the places.

        None where a null stands on the first level.
        """
        if any(values[position] is None for position in self._on_top):
            return None
        return identity_of_text(self._text.filled(values))


class _Text:
    """A mapping's or list's text: parts that stay, positions of values, and texts within."""

    def __init__(
        self,
        identifier: Identifier,
        container: Any,
        gaps: Mapping[Any, Any],
        within: "type[_Text] | None" = None,
    ) -> None:
        self._identifier = identifier
        self._within = within or _Text
        self._texts: list[str] = []
        self._values: list[tuple[int, int]] = []
        self._inner: list[tuple[int, _Text]] = []
        for place, piece in enumerate(self._pieces(container, gaps)):
            self._texts.append(piece if isinstance(piece, str) else "")
            if isinstance(piece, int):
                self._values.append((place, piece))
            elif isinstance(piece, _Text):
                self._inner.append((place, piece))

    def filled(self, values: Sequence[Any]) -> str:
        """The text with `values` in its gaps."""
        texts = self._texts.copy()
        for place, position in self._values:
            texts[place] = self._identifier.canonical(values[position])
        for place, inner in self._inner:
            texts[place] = inner.hash(values)
        return "".join(texts)

    def hash(self, values: Sequence[Any]) -> str:
        """What stands for it in the text around it."""
        return hash_of_text(self.filled(values))

    def _pieces(self, container: Any, gaps: Mapping[Any, Any]) -> Iterator["str | int | _Text"]:
        """What stands one after the other: texts that stay, and between them what varies."""
        steady = ""
        for part in self._parts(container, gaps):
            if isinstance(part, str):
                steady += part
            else:
                yield from (steady, part)
                steady = ""
        yield steady

    def _parts(self, container: Any, gaps: Mapping[Any, Any]) -> Iterator["str | int | _Text"]:
        is_mapping = isinstance(container, dict)
        yield "{" if is_mapping else "["
        for place, key in enumerate(sorted(container) if is_mapping else range(len(container))):
            yield ("," if place else "") + (label(key) if is_mapping else "")
            gap = gaps.get(key)
            if gap is None:
                yield self._identifier.canonical(container[key])
            elif isinstance(gap, int):
                yield gap
            else:
                yield self._within(self._identifier, container[key], gap)
        yield "}" if is_mapping else "]"


class _Section(_Text):
    """A section's text, hashed once: points of a grid's axes share most of their sections."""

    def __init__(self, identifier: Identifier, container: Any, gaps: Mapping[Any, Any]) -> None:
        super().__init__(identifier, container, gaps)
        self._positions = tuple(_positions(gaps))
        self._hashes: ByObject[str] = ByObject()

    def hash(self, values: Sequence[Any]) -> str:
        varied = [values[position] for position in self._positions]
        token = tuple(map(id, varied))
        known = self._hashes.get(token)
        return (
            known[0]
            if known is not None
            else self._hashes.keep(token, super().hash(values), varied)
        )


def _positions(gaps: Mapping[Any, Any]) -> Iterator[int]:
    for gap in gaps.values():
        if isinstance(gap, int):
            yield gap
        else:
            yield from _positions(gap)
