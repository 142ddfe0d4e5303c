"""What somebody asks for besides a grid file: it wins over the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from launch.executor import Code
from launch.grid import Grid, expand
from pcm.config.trackers import NO_TRACKER, TRACKERS, is_tracker
from pcm.errors import ConfigError, Fault, UsageError

ONE_RANK: Mapping[str, Any] = {"nodes": 1, "gpus_per_node": 0, "tasks_per_node": 1}
"""What a debugger can look into."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is said of a grid besides its file.

    Attributes:
        overrides: values of every point, by path.
        resources: entries of `resources`; None leaves one to the file.
        tracker: a tracker's name, or `none`; None leaves it to the file.
        image: path of an Apptainer image; None leaves it to the file.
        code: the same.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    tracker: str | None = None
    image: str | None = None
    code: Code | None = None

    def for_one_rank(self) -> "Wishes":
        """The same for a single process."""
        return replace(self, resources={**self.resources, **ONE_RANK})

    def expand(self, path: Path) -> Grid:
        """The grid of a file as it is wished for.

        Raises:
            UsageError: there is no such tracker.
            ConfigError: with everything that is wrong with the grid.
        """
        resources = {name: value for name, value in self.resources.items() if value is not None}
        try:
            grid = expand(path, overrides=self.overrides, resources=resources)
        except ConfigError:
            _refuse_other_kinds(path)
            raise
        if self.tracker is not None:
            grid = replace(grid, tracker=_tracker(self.tracker, grid.tracker))
        return self.apply_to_container(grid)

    def apply_to_container(self, grid: Grid) -> Grid:
        """The grid with what is wished for in its `container:`."""
        named = {"image": self.image, "code": None if self.code is None else str(self.code)}
        said = {key: value for key, value in named.items() if value is not None}
        return replace(grid, container={**grid.container, **said})


def _refuse_other_kinds(path: Path) -> None:
    """One answer for a file that is no grid, in place of a grid's faults.

    Raises:
        ConfigError: it is a config file of another kind, or none at all.
    """
    from launch.validate import kind_of
    from pcm.config.document import load_document

    kind = kind_of(load_document(path).data)
    if kind not in (None, "grid"):
        hint = "`pcm validate` checks files of every kind"
        fault = Fault(f"this is a {kind} file", file=str(path), expected="a grid file", hint=hint)
        raise ConfigError([fault])


def _tracker(name: str, former: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The project of the grid file stays, if it is the same tracker's."""
    if not is_tracker(name):
        raise UsageError(f"no tracker is called '{name}'", f"choose one of {', '.join(TRACKERS)}")
    if name == NO_TRACKER:
        return None
    same = former is not None and former["name"] == name
    return {"name": name, "project": former.get("project") if former and same else None}
