"""Axes -> rows of values, before any config is looked at."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.grid.bases import FOLDERS


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Points that vary the same paths.

    Attributes:
        paths: what varies, as written.
        file_positions: where in `paths` each section's file is, or None.
        groups: columns that advance together; each is the list of its rows.
        explicit: listed under `include`, so that no exclude rule applies.
    """

    paths: tuple[str, ...]
    file_positions: tuple[int | None, ...]
    groups: tuple[Sequence[tuple[Any, ...]], ...]
    explicit: bool = False

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Values in the order of `paths`, the last group running fastest."""
        for parts in itertools.product(*self.groups):
            yield tuple(itertools.chain.from_iterable(parts))


def product_block(groups: Sequence[Mapping[str, Sequence[Any]]]) -> Block:
    """The cartesian product of groups, each a set of axes of equal length."""
    paths = tuple(path for group in groups for path in group)
    rows = tuple(list(zip(*group.values(), strict=True)) for group in groups)
    return Block(paths, _file_positions(paths), rows)


def explicit_block(overrides: Mapping[str, Any]) -> Block:
    """One point, as listed under `include`."""
    paths = tuple(overrides)
    rows = [tuple(overrides.values())]
    return Block(paths, _file_positions(paths), (rows,), explicit=True)


def _file_positions(paths: tuple[str, ...]) -> tuple[int | None, ...]:
    return tuple(paths.index(section) if section in paths else None for section in FOLDERS)
