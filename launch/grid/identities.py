"""Identities of a grid's points."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from launch.grid.points import Frame
from launch.site import Resources
from pcm.config.identity import Identifier
from pcm.config.identity_template import IdentityTemplate, serves
from pcm.config.keys import overlapping
from pcm.config.override import Variants

Row = tuple[Frame, tuple[Any, ...], Resources]
"""What a point is, but for its identity."""

_AT_ONCE = 1 << 12
"""Points whose identities are made together: many share much, few fill little memory."""


class Identities:
    """By a template for points of one frame, where there can be one; else by whole configs.

    Args:
        more: what else changes results.
    """

    def __init__(self, variants: Variants, more: Mapping[str, Any]) -> None:
        self._variants = variants
        self._more = more
        self._identifier = Identifier()

    def of(self, rows: Sequence[Row]) -> list[str]:
        """The identity of each point."""
        alike: dict[tuple[Frame, int], list[int]] = defaultdict(list)
        for number, (frame, _, resources) in enumerate(rows):
            alike[frame, resources.world_size].append(number)
        found = [""] * len(rows)
        for (frame, world_size), numbers in alike.items():
            values = [rows[number][1] for number in numbers]
            identities = self._of_frame(frame, values, world_size)
            for number, identity in zip(numbers, identities, strict=True):
                found[number] = identity
        return found

    def _of_frame(
        self, frame: Frame, rows: Sequence[tuple[Any, ...]], world_size: int
    ) -> Iterator[str]:
        places = [keys for _, keys in frame.targets]
        if not places or not serves(places) or overlapping(places):
            return (self._of_whole(frame, values, world_size) for values in rows)
        config = {**frame.config, "world_size": world_size}
        template = IdentityTemplate(self._identifier, config, places, **self._more)
        some = (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
        columns = ([[row[at] for row in each] for at, _ in frame.targets] for each in some)
        return itertools.chain.from_iterable(map(template.identities, columns))

    def _of_whole(self, frame: Frame, values: Sequence[Any], world_size: int) -> str:
        config = frame.config_of(values, self._variants.with_value)
        return self._identifier.identity({**config, "world_size": world_size}, **self._more)
