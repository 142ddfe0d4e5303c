"""What is wrong with the classes of a user's own that a grid's points name."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from launch.arguments import Arguments
from launch.container.python import training_python
from launch.grid import Grid, Point
from launch.grid.bases import FOLDERS
from launch.site import Site
from pcm.config.structures.own import names_own_class
from pcm.errors import ConfigError, Fault

_DECIDING = (dict, list, str)
"""Only a value of these can be a class, or the name of one."""


def require_classes(grid: Grid, ids: Collection[str], site: Site) -> None:
    """Refuse classes that are not there, or don't take what the grid gives them.

    Nothing is said where training runs another Python, or elsewhere: in an image, or as a copy.

    Args:
        ids: of the points that are to run.

    Raises:
        ConfigError: with all of them.
    """
    if grid.container or site.container or site.modules or site.setup or not is_this_python():
        return
    points = (point for point in grid.points if point.id in ids)
    faults = class_faults(grid, points, Arguments(is_here=True))
    if faults:
        raise ConfigError(faults)


def is_this_python() -> bool:
    """Whether training without an image would be run by the Python that runs this."""
    return training_python(os.environ) == [sys.executable]


def class_faults(grid: Grid, points: Iterable[Point], arguments: Arguments) -> list[Fault]:
    """What is wrong with the classes of a grid's points, each fault once, in their order."""
    if not any(map(_names_any_class, grid.bases.values())):
        return []
    faults: dict[Fault, None] = {}
    seen = set()
    for point in points:
        # Of most axes the value doesn't matter: a class takes a rate, or it does not.
        decisive = [repr(value) for value in point.values if isinstance(value, _DECIDING)]
        token = (id(point.frame), *decisive)
        if token not in seen:
            seen.add(token)
            faults |= dict.fromkeys(_faults_of(point, grid, arguments))
    return list(faults)


def _faults_of(point: Point, grid: Grid, arguments: Arguments) -> Iterator[Fault]:
    config = point.config
    for section in FOLDERS:
        if isinstance(config.get(section), dict):
            for finding in arguments.findings(config[section]):
                yield grid.blame.on_any(finding.under(section), point.frame, config)


def _names_any_class(value: Any) -> bool:
    if isinstance(value, dict):
        return names_own_class(value) or any(map(_names_any_class, value.values()))
    return isinstance(value, list | tuple) and any(map(_names_any_class, value))
