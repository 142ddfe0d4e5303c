"""Points checked all the way down, what they share only once."""

from collections.abc import Mapping, Sequence
from typing import Any

from launch.grid.bases import FOLDERS
from launch.grid.points import Frame
from pcm.config.by_object import ByObject
from pcm.config.check import EXPERIMENT
from pcm.config.keys import overlapping
from pcm.config.own_places import structures_of_places
from pcm.config.structure import ConfigStructure, Finding, Inspector
from pcm.config.structures.run_command import RUN

_Wanted = list[tuple[int, list[ConfigStructure]]]
"""Positions of a row's values, and all that each must fit."""


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
