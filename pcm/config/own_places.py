"""Which structures a config's varied values must fit, where no rule looks at them.

Ten thousand configs that differ in a learning rate need not be checked whole ten thousand times,
if nothing but the structure of its own place looks at it. Whether that's so is found by watching:
a config is checked once with holes in place of the varied values. A rule that takes one out of its
mapping stops the check; a rule that took none says the same whatever stands there.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from pcm.config.inspection import ConfigStructure, Finding, Findings, Inspector
from pcm.config.keys import Keys
from pcm.config.override import with_value


def structures_of_places(
    config: Any, structure: ConfigStructure, places: Sequence[Keys]
) -> list[list[ConfigStructure]] | None:
    """For each of the places, all that a value there must fit for the config to be right.

    None where that doesn't decide: a rule looks at one of the places, or the rest is wrong.
    """
    holes = [_Hole() for _ in places]
    try:
        watched = _watched(config, places, holes)
        findings = _Watcher().inspect(watched, structure)
    except _LookedAt:
        return None
    return None if findings else [list(hole.structures.values()) for hole in holes]


class _LookedAt(Exception):  # noqa: N818 - no error, but an answer
    """A rule depends on a place that varies."""


class _Hole:
    """Stands for every value that fits all of `structures`."""

    def __init__(self) -> None:
        self.structures: dict[int, ConfigStructure] = {}

    def _refuse(self, *_other: object) -> NoReturn:
        raise _LookedAt

    # Mappings further up may be compared or written out whole.
    __eq__ = __hash__ = __repr__ = copy = _refuse


class _Watched(dict[str, Any]):
    """A mapping with holes; all but the Watcher may take out only what is none."""

    def __getitem__(self, key: str) -> Any:
        return _no_hole(super().__getitem__(key))

    def get(self, key: str, default: Any = None) -> Any:
        return _no_hole(super().get(key, default))

    def __iter__(self) -> Iterator[str]:
        # With an iterator of its own, `{**self}` and `dict(self)` go through `__getitem__` too.
        return iter(self.keys())

    def _refuse(self, *_other: object) -> NoReturn:
        raise _LookedAt

    values = items = copy = __or__ = __ror__ = __eq__ = _refuse


class _Watcher(Inspector):
    """Notes what each hole is compared with, which it fits."""

    def inspect(self, value: Any, structure: ConfigStructure) -> Findings:
        if isinstance(value, _Hole):
            value.structures[id(structure)] = structure
            return ()
        return super().inspect(value, structure)

    def inspect_entries(self, value: dict[str, Any], fields: Any) -> list[Finding]:
        if isinstance(value, _Watched):
            value = {key: dict.__getitem__(value, key) for key in value}
        return super().inspect_entries(value, fields)


def _no_hole(value: Any) -> Any:
    if isinstance(value, _Hole):
        raise _LookedAt
    return value


def _watched(config: Any, places: Sequence[Keys], holes: Sequence[_Hole]) -> Any:
    """The config with the holes, each in a mapping that tells who takes it out."""
    for keys, hole in zip(places, holes, strict=True):
        config = with_value(config, keys, hole)
    # The deepest first, since each change copies the mappings above it.
    for keys in sorted({keys[:-1] for keys in places}, key=len, reverse=True):
        parent = _at(config, keys)
        if not isinstance(parent, dict):
            raise _LookedAt
        config = with_value(config, keys, _Watched(parent))
    return config


def _at(config: Any, keys: Keys) -> Any:
    for key in keys:
        config = config[key]
    return config
