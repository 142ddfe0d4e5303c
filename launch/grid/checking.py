"""Points checked all the way down, what they share only once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from launch.grid.bases import FOLDERS
from launch.grid.points import Frame
from pcm.config.by_object import ByObject
from pcm.config.check import EXPERIMENT, SECTIONS
from pcm.config.keys import Keys, overlapping, value_at
from pcm.config.own_places import structures_of_places
from pcm.config.shapes import COUNT
from pcm.config.structure import ConfigStructure, Finding, Inspector
from pcm.config.structures.grid import SEED
from pcm.config.structures.run_command import RUN

_Wanted = list[tuple[int, list[ConfigStructure]]]
"""Positions of a row's values, and all that each must fit."""

_Alone = list[tuple[Keys, int | None, Sequence[ConfigStructure]]]
"""Places, the positions of their values in a row, if they are an axis', and what these must fit."""

_SCALARS: Mapping[str, ConfigStructure] = {"seed": SEED, "subsample_size": (None, COUNT)}


class Checker:
    """Inspects configs that share most of their parts.

    Where no rule looks at an axis, its values need only fit their own place. Else, a seed is
    right or wrong whatever the model; so once the sections of a config have passed together,
    and its seed and subsample size each somewhere, nothing is left to look at. Nothing that was
    inspected may be changed in place.
    """

    _MOST_PASSED = 1 << 14

    def __init__(self) -> None:
        self._inspector = Inspector()
        # Holding on to what passed keeps its ids from being given away again.
        self._passed: dict[tuple[str | int, ...], tuple[Any, ...]] = {}
        self._wanted: ByObject[_Wanted | None] = ByObject()
        self._alone: ByObject[_Alone] = ByObject()

    def passes(self, frame: Frame, values: Sequence[Any], world_size: int) -> bool:
        """Whether a point is right for sure, by a look at its values alone."""
        token = (id(frame), world_size)
        known = self._wanted.get(token)
        if known is None:
            wanted = self._wanted.keep(token, _wanted(frame, world_size), frame)
        else:
            wanted = known[0]
        if wanted is None:
            return False
        inspect = self._inspector.inspect
        for position, structures in wanted:
            value = values[position]
            for structure in structures:
                if inspect(value, structure):
                    return False
        return True

    def findings(self, config: Mapping[str, Any]) -> Sequence[Finding]:
        """What is wrong with an experiment's config."""
        parts = {
            "sections": tuple(config.get(section) for section in (*FOLDERS, RUN)),
            "seed": (config["seed"],),
            "subsample_size": (config["subsample_size"],),
        }
        tokens: dict[tuple[str | int, ...], tuple[Any, ...]] = {
            (name, *map(id, part)): part for name, part in parts.items()
        }
        if tokens.keys() <= self._passed.keys():
            return ()
        findings = self._inspector.inspect(config, EXPERIMENT)
        if not findings:
            if len(self._passed) >= self._MOST_PASSED:
                self._passed.clear()
            self._passed.update(tokens)
        return findings

    def findings_of_sections(
        self, config: Mapping[str, Any], sections: Collection[str]
    ) -> Iterator[Finding]:
        """What is wrong within some sections, whatever the others are."""
        for section in sections:
            for found in self._inspector.inspect(config[section], SECTIONS[section]):
                yield found.under(section)

    def findings_alone(
        self, frame: Frame, values: Sequence[Any], fixed: Collection[Keys]
    ) -> Iterator[Finding]:
        """What is wrong with single values, whatever the rest is, which can't be judged.

        Args:
            fixed: places of the frame's own config at which overrides are to be judged as well.
        """
        known = self._alone.get(id(frame))
        if known is None:
            places = [*((keys, None) for keys in fixed), *((k, p) for p, k in frame.targets)]
            alone = [(keys, at, _structures_alone(frame.config, keys)) for keys, at in places]
            alone = self._alone.keep(id(frame), alone, frame)
        else:
            alone = known[0]
        for keys, position, structures in alone:
            value = value_at(frame.config, keys) if position is None else values[position]
            for structure in structures:
                yield from (
                    found.under(*keys) for found in self._inspector.inspect(value, structure)
                )


def _structures_alone(config: Mapping[str, Any], keys: Keys) -> Sequence[ConfigStructure]:
    """What a value must fit at a place that no rule of its section looks at; else nothing."""
    section, *inside = keys
    if not inside:
        return [_SCALARS[str(section)]] if section in _SCALARS else []
    structure = SECTIONS.get(str(section))
    if structure is None:
        return []
    structures = structures_of_places(config[str(section)], structure, [tuple(inside)])
    return [] if structures is None else structures[0]


def _wanted(frame: Frame, world_size: int) -> _Wanted | None:
    places = [keys for _, keys in frame.targets]
    if overlapping(places):
        return None
    config = {**frame.config, "world_size": world_size}
    structures = structures_of_places(config, EXPERIMENT, places)
    if structures is None:
        return None
    positions = [position for position, _ in frame.targets]
    return list(zip(positions, structures, strict=True))
