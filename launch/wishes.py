"""What somebody asks for besides a grid file: it wins over the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from launch.executor import Code, Executor
from launch.grid import KEYWORDS, OPTIONS, Grid, Spelling, expand, plain_assignments
from launch.user_settings import Settings, read_settings
from pcm.config.structures.notify import WEBHOOK, is_url
from pcm.config.trackers import NO_TRACKER, TRACKERS, is_tracker, names_in, requested
from pcm.errors import ConfigError, Fault, UsageError

TrackerRequest = dict[str, Any] | list[dict[str, Any]] | None
"""What `tracker:` comes to: a mapping with `name` and `project`, a list of such, or none."""

ONE_RANK: Mapping[str, Any] = {"nodes": 1, "gpus_per_node": 0, "tasks_per_node": 1}
"""What a debugger can look into."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is said of a grid besides its file.

    Attributes:
        overrides: values of every point, by path.
        resources: entries of `resources`; None leaves one to the file.
        tracker: a tracker's name, several with commas between, or `none`; None leaves it to
            the file.
        image: path of an Apptainer image; None leaves it to the file.
        code: the same.
        settings: what the user has said once for all; the file wins over it.
        spelling: the words in which all of it is asked for.
    """

    overrides: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    tracker: str | None = None
    image: str | None = None
    code: Code | None = None
    settings: Settings = field(default_factory=Settings)
    spelling: Spelling = OPTIONS

    def for_executor(self, executor: Executor) -> "Wishes":
        """The same for where it runs: in this very process there is one rank."""
        if executor is not Executor.DEBUG:
            return self
        return replace(self, resources={**self.resources, **ONE_RANK})

    @property
    def default_resources(self) -> dict[str, Any]:
        """Entries of `resources` that hold where neither an option nor the file says."""
        return {} if self.settings.account is None else {"account": self.settings.account}

    def expand(self, path: Path) -> Grid:
        """The grid of a file as it is wished for.

        Raises:
            UsageError: there is no such tracker.
            ConfigError: with everything that is wrong with the grid.
        """
        resources = {name: value for name, value in self.resources.items() if value is not None}
        try:
            grid = expand(
                path,
                overrides=self.overrides,
                resources=resources,
                defaults=self.default_resources,
                spelling=self.spelling,
            )
        except ConfigError:
            _refuse_other_kinds(path)
            raise
        grid = replace(grid, tracker=self.choose_tracker(grid.tracker))
        return self.apply_to_container(self.apply_to_notify(grid))

    def choose_tracker(self, of_grid: Any) -> TrackerRequest:
        """What is asked for here, else by the grid file, else by the settings.

        Raises:
            UsageError: there is no such tracker.
        """
        if self.tracker is not None:
            return _named(self.tracker, requested(of_grid))
        return _as_recorded(requested(self.settings.tracker if of_grid is None else of_grid))

    def apply_to_notify(self, grid: Grid) -> Grid:
        """The grid with whom to tell: those of the file, else the settings'; no secret address."""
        targets = grid.notify or self.settings.notify or ()
        kept = dict.fromkeys(WEBHOOK if is_url(target) else target for target in targets)
        return replace(grid, notify=tuple(kept))

    def apply_to_container(self, grid: Grid) -> Grid:
        """The grid with what is wished for in its `container:`."""
        named = {"image": self.image, "code": None if self.code is None else str(self.code)}
        said = {key: value for key, value in named.items() if value is not None}
        return replace(grid, container={**grid.container, **said})


def wishes_of(
    overrides: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    tracker: str | None = None,
    image: str | Path | None = None,
    code: Code | str | None = None,
) -> Wishes:
    """What a Python program asks for, in values of its own kinds, with the user's settings.

    Raises:
        UsageError: there is a value that no file could have.
        ConfigError: the settings are wrong.
    """
    return Wishes(
        overrides=plain_assignments(overrides or {}),
        resources=plain_assignments(resources or {}),
        tracker=tracker,
        image=None if image is None else str(image),
        code=None if code is None else Code(code),
        settings=read_settings(),
        spelling=KEYWORDS,
    )


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


def _named(names: str, former: list[dict[str, Any]]) -> TrackerRequest:
    """The grid file's projects stay with those of its trackers that are named."""
    there = {request["name"]: request for request in former}
    require_trackers(names_in(names))
    return _as_recorded(
        [there.get(name, {"name": name, "project": None}) for name in names_in(names)]
    )


def require_trackers(names: Iterable[str]) -> None:
    """Refuse names that no tracker has.

    Raises:
        UsageError: with those that there are.
    """
    for name in names:
        if not is_tracker(name):
            choice = f"choose one of {', '.join(TRACKERS)}; or several, with commas between"
            raise UsageError(f"no tracker is called '{name}'", choice)


def _as_recorded(requests: list[dict[str, Any]]) -> TrackerRequest:
    """One tracker as a mapping, as it has always been on record; several as a list."""
    wanted = [{"project": None, **request} for request in requests if request["name"] != NO_TRACKER]
    return wanted if len(wanted) > 1 else next(iter(wanted), None)
