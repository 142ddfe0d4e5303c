"""Experiments and sweeps: found, listed, created. Files are the truth; nothing is cached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from launch.damage import DamagedError
from launch.site import Resources
from launch.store.choosing import only_one
from launch.store.host_records import resources_of
from launch.store.layout import LaunchDir, RunsRoot
from launch.store.points_file import damaged_points
from pcm.errors import NotFoundError
from pcm.run_dir import RunDir

if TYPE_CHECKING:
    from launch.grid import Grid


class Experiment(NamedTuple):
    """One experiment as its newest launch froze it: a tuple, since a store has ten thousand."""

    launch: LaunchDir
    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The first ten digits of the identity."""
        return str(self.record["id"])

    @property
    def identity(self) -> str:
        """Hash of everything that changes the result."""
        return str(self.record["identity"])

    @property
    def name(self) -> str:
        """For people; not unique."""
        return str(self.record["name"])

    @property
    def sweep(self) -> str:
        """Name of the sweep that launched it last."""
        return self.launch.sweep_name

    @property
    def overrides(self) -> Mapping[str, Any]:
        """Values of the axes, by path."""
        overrides: Mapping[str, Any] = self.record["overrides"]
        return overrides

    @property
    def tags(self) -> Sequence[str]:
        """Those of the grid that launched it last; trackers get them."""
        return tuple(self.launch.record["tags"])

    @property
    def world_size(self) -> int:
        """Ranks on all nodes together, as the identity has it."""
        return int(self.record["world_size"])

    @property
    def resources(self) -> Resources:
        """What it asks for; a site's defaults are not in it."""
        return resources_of(self.record)

    @property
    def run_dir(self) -> RunDir:
        """Its run directory, which may not be there yet."""
        return RunsRoot(self.launch.root).run_dir(self.id)

    @property
    def folder(self) -> str:
        """The same as text."""
        return RunsRoot(self.launch.root).folder(self.id)

    def config(self) -> dict[str, Any]:
        """The config of its four sections, axes set: what training gets."""
        # Here as below: most commands only look.
        from launch.store.run_dirs import frozen_config

        return frozen_config(self.launch, self.record)

    def create_run_dir(self) -> RunDir:
        """Write what training needs to know; one that is there already stays as it is."""
        from launch.store.run_dirs import create_run_dir

        return create_run_dir(self.launch.path, self.id)


def launches_of(experiments: Iterable[Experiment]) -> set[LaunchDir]:
    """The launches that froze them."""
    # Thousands share one object, and a path is costly to hash.
    return set({id(each.launch): each.launch for each in experiments}.values())


@dataclass(frozen=True, slots=True)
class Sweep:
    """The launches of one grid file's name, oldest first; at least one."""

    name: str
    launches: tuple[LaunchDir, ...]

    @property
    def newest(self) -> LaunchDir:
        """The launch that counts for tags, tracker and image."""
        return self.launches[-1]


class Store:
    """Everything under one runs root."""

    def __init__(self, root: Path) -> None:
        self.root = RunsRoot(root.absolute())

    def freeze(
        self,
        grid: "Grid",
        *,
        code_folder: Path | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> LaunchDir:
        """Write a grid down under this root; durable on return, see `launch.store.freezing`."""
        from launch.store.freezing import freeze

        return freeze(grid, self.root.path, code_folder=code_folder, details=details)

    def experiments(self, sweep: str | None = None) -> list[Experiment]:
        """All experiments, or one sweep's, in the order of their first launch.

        An experiment of several launches is there once, as the newest froze it.

        Args:
            sweep: a sweep's whole name.
        """
        newest: dict[str, Experiment] = {}
        for launch in self.root.launches(sweep):
            for record in launch.point_records():
                newest[record["id"]] = Experiment(launch, record)
        return list(newest.values())

    def sweeps(self) -> list[Sweep]:
        """All sweeps, the one launched last at the end."""
        launches: dict[str, list[LaunchDir]] = {}
        for launch in self.root.launches():
            launches.setdefault(launch.sweep_name, []).append(launch)
        sweeps = [Sweep(name, tuple(group)) for name, group in launches.items()]
        return sorted(sweeps, key=lambda sweep: sweep.newest.id)

    def find(self, prefix: str) -> Experiment:
        """The experiment of an id, any unique beginning of one, or a whole name.

        Raises:
            NotFoundError: there is none.
            UsageError: there are several.
            DamagedError: what is left of a damaged line begins as it would.
        """
        experiments = self.experiments()
        named = [experiment for experiment in experiments if experiment.name == prefix]
        if len(named) == 1:
            return named[0]
        try:
            return only_one("experiment", prefix, experiments, _id, _label)
        except NotFoundError:
            self._refuse_damaged(prefix)
            raise

    def _refuse_damaged(self, prefix: str) -> None:
        for launch in self.root.launches():
            for damaged in damaged_points(launch.points, prefix):
                raise DamagedError(damaged)

    def find_sweep(self, prefix: str) -> Sweep:
        """The sweep of a name, or of any unique beginning of one.

        Raises:
            NotFoundError: there is none.
            UsageError: there are several.
        """
        return only_one("sweep", prefix, self.sweeps(), _name, _name)


def _id(experiment: Experiment) -> str:
    return experiment.id


def _label(experiment: Experiment) -> str:
    return f"{experiment.id}  {experiment.name}"


def _name(sweep: Sweep) -> str:
    return sweep.name
