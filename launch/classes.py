"""What is wrong with the classes of a user's own that a grid's points name."""

import os
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any

from launch.arguments import Arguments
from launch.container.other_python import modules_missing_in
from launch.container.python import training_python
from launch.grid import Grid, Point
from launch.grid.bases import FOLDERS
from launch.methods import lacking_methods
from launch.site import Site
from launch.sources import import_folders, is_importable
from pcm.config.structures.own import names_own_class
from pcm.config.structures.run_command import RUN
from pcm.errors import ConfigError, Fault, RefusedError

_DECIDING = (dict, list, str)
"""Of these the value itself may decide, which can be a class, or the name of one."""

TRAINING_NEEDS = ("torch", "lightning")
"""Of a Python that has these beside pcm it is taken that it can train."""


def require_classes(grid: Grid, ids: Collection[str], site: Site) -> None:
    """Refuse classes that are not there, or don't take what the grid gives them.

    Nothing is said where training runs another Python, or elsewhere: in an image, or as a copy.

    Args:
        ids: of the points that are to run.

    Raises:
        ConfigError: with all of them.
    """
    if not _trains_here(grid, site):
        return
    points = (point for point in grid.points if point.id in ids)
    faults = class_faults(grid, points, Arguments(is_here=not _missing_for_training()))
    if faults:
        raise ConfigError(faults)


def untrainable(grid: Grid, site: Site) -> str | None:
    """Why no rank of a grid could train, where the Python that would run it lacks torch or pcm.

    As on a login node that has the host side alone; None where all is well, or isn't known.
    """
    if _is_elsewhere(grid, site):
        return None
    python, needed = training_python(os.environ), () if RUN in grid.bases else TRAINING_NEEDS
    if not _runs_this_python():
        missing = modules_missing_in(python, ("pcm", *needed))
    else:
        missing = _missing_for_training() if needed else ()
    return f"{python[0]}, which is to train, has no {' and no '.join(missing)}" if missing else None


def require_training(grid: Grid, site: Site) -> None:
    """Refuse what could only fail in every rank.

    Raises:
        RefusedError: the Python that is to train can't.
    """
    if problem := untrainable(grid, site):
        raise RefusedError(
            problem,
            "pip install 'pcm-launch[train]'; or name another Python in PCM_PYTHON, "
            "or an image with --image",
        )


def is_this_python() -> bool:
    """Whether training without an image would be run by the Python that runs this, and can be."""
    return _runs_this_python() and not _missing_for_training()


def _runs_this_python() -> bool:
    return training_python(os.environ) == [sys.executable]


def _trains_here(grid: Grid, site: Site) -> bool:
    """Whether training finds what this Python finds, with neither image nor site in between."""
    return not _is_elsewhere(grid, site) and _runs_this_python()


def _is_elsewhere(grid: Grid, site: Site) -> bool:
    return bool(grid.container or site.container or site.modules or site.setup)


@cache
def _missing_for_training() -> tuple[str, ...]:
    folders = import_folders()
    return tuple(name for name in TRAINING_NEEDS if not is_importable(name, folders))


def modules_named(grid: Grid) -> set[str]:
    """The modules of all classes that a grid's points name."""
    paths = (path for point in _distinct(grid, grid.points) for path in _class_paths(point.config))
    return {path.rpartition(".")[0] for path in paths}


def class_faults(grid: Grid, points: Iterable[Point], arguments: Arguments) -> list[Fault]:
    """What is wrong with the classes of a grid's points, each fault once, in their order.

    Before those, what is wrong with the modules that are to be loaded once for many.
    """
    faults = dict.fromkeys(_preload_faults(grid, arguments))
    for point in _distinct(grid, points):
        faults |= dict.fromkeys(_faults_of(point, grid, arguments))
    return list(faults)


def _preload_faults(grid: Grid, arguments: Arguments) -> Iterator[Fault]:
    for number, name in enumerate(grid.preload):
        fault = arguments.preload_fault(name)
        if fault is not None:
            yield grid.blame.on_entry(fault, f"preload.{number}")


def _distinct(grid: Grid, points: Iterable[Point]) -> Iterator[Point]:
    """One of all points that give the same arguments to the same classes, if they name any.

    Of most axes the value doesn't matter but for its type: a class takes a rate, or it does not.
    """
    if not any(_class_paths(grid.bases)):
        return
    seen = set()
    for point in points:
        token = (id(point.frame), *map(_decisive, point.values))
        if token not in seen:
            seen.add(token)
            yield point


def _decisive(value: Any) -> object:
    """What of an axis' value decides whether a class takes it."""
    if isinstance(value, _DECIDING):
        return repr(value)
    # A whole number may stand for an integer.
    return type(value), isinstance(value, float) and value.is_integer()


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
