"""Exclude rules: which points they drop."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from launch.grid.bases import FOLDERS
from launch.grid.file import RESOURCES, GridFile
from launch.grid.points import Frame
from pcm.config.by_object import ByObject
from pcm.config.keys import value_at
from pcm.config.override import resolve
from pcm.errors import ConfigError

Test = Callable[[Sequence[Any]], bool]
"""Whether the values of a row match one pair of a rule."""


class Rule:
    """Drops the points that match all of its pairs.

    Attributes:
        matched: how many points it has matched.
        lost: what is wrong with its paths, if they lead nowhere in any frame.
    """

    def __init__(self, pairs: Mapping[str, Any], grid: GridFile) -> None:
        self.pairs = pairs
        self.matched = 0
        self.lost: ConfigError | None = None
        self._was_found = False
        self._grid = grid
        self._tests: ByObject[list[Test] | None] = ByObject()

    def drops(self, frame: Frame, values: Sequence[Any]) -> bool:
        """Whether a point matches; counts it."""
        known = self._tests.get(id(frame))
        if known is not None:
            tests = known[0]
        else:
            tests = self._tests.keep(id(frame), self._prepare(frame), frame)
        matches = tests is not None and all(test(values) for test in tests)
        self.matched += matches
        return matches

    def _prepare(self, frame: Frame) -> list[Test] | None:
        """The tests of a frame's rows; None where no row can match."""
        if any(path.partition(".")[0] in frame.unsound for path in self.pairs):
            return None
        try:
            tests = [self._test(frame, path, wanted) for path, wanted in self.pairs.items()]
        except ConfigError as error:
            # Files that are axes may differ in what they have.
            self.lost = None if self._was_found else error
            return None
        self._was_found, self.lost = True, None
        return tests

    def _test(self, frame: Frame, path: str, wanted: Any) -> Test:
        if path in frame.paths:
            position = frame.paths.index(path)
            return lambda values: same(values[position], wanted)
        if path in FOLDERS or path.startswith(RESOURCES):
            always = same(self._constant(path), wanted)
            return lambda _values: always
        keys = resolve(frame.config, path)
        return lambda values: same(value_at(frame.config_of(values), keys), wanted)

    def _constant(self, path: str) -> Any:
        if path in FOLDERS:
            return self._grid.file(path)
        resources = self._grid.resources | self._grid.resource_flags
        return resources.get(path.removeprefix(RESOURCES))


def same(first: Any, second: Any) -> bool:
    """Equal as configs are: 1 is 1.0, and not true."""
    return bool(first == second) and isinstance(first, bool) == isinstance(second, bool)
