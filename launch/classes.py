"""What is wrong with the classes of a user's own that a grid's points name."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from launch.arguments import Arguments
from launch.container.python import training_python
from launch.grid import Grid, Point
from launch.grid.bases import FOLDERS
from launch.methods import lacking_methods
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


def modules_named(grid: Grid) -> set[str]:
    """The modules of all classes that a grid's points name."""
    paths = (path for point in _distinct(grid, grid.points) for path in _class_paths(point.config))
    return {path.rpartition(".")[0] for path in paths}


def class_faults(grid: Grid, points: Iterable[Point], arguments: Arguments) -> list[Fault]:
    """What is wrong with the classes of a grid's points, each fault once, in their order."""
    faults: dict[Fault, None] = {}
    for point in _distinct(grid, points):
        faults |= dict.fromkeys(_faults_of(point, grid, arguments))
    return list(faults)


def _distinct(grid: Grid, points: Iterable[Point]) -> Iterator[Point]:
    """One of all points that give the same arguments to the same classes, if they name any.

    Of most axes the value doesn't matter: a class takes a rate, or it does not.
    """
    if not any(_class_paths(grid.bases)):
        return
    seen = set()
    for point in points:
        decisive = [repr(value) for value in point.values if isinstance(value, _DECIDING)]
        token = (id(point.frame), *decisive)
        if token not in seen:
            seen.add(token)
            yield point


def _faults_of(point: Point, grid: Grid, arguments: Arguments) -> Iterator[Fault]:
    config = point.config
    for section in FOLDERS:
        if isinstance(config.get(section), dict):
            for finding in arguments.findings(config[section]):
                yield grid.blame.on_any(finding.under(section), point.frame, config)
    for finding in lacking_methods(config, arguments.lacks):
        yield grid.blame.on_any(finding, point.frame, config)


def _class_paths(value: Any) -> Iterator[str]:
    """Every `class_path` in a config, however deep."""
    if names_own_class(value):
        yield str(value["class_path"])
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list | tuple):
            yield from _class_paths(each)
