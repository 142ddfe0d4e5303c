"""A grid's points: a few values each, and what they share once."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launch.grid.bases import FOLDERS
from launch.site import Resources
from pcm.config.keys import Keys
from pcm.config.override import with_value

if TYPE_CHECKING:
    from launch.grid.blame import Blame

ID_DIGITS = 10
"""Hexadecimal digits of an identity that make an experiment's id."""

_LONGEST_VALUE = 24
_LONGEST_NAME = 120

Change = Callable[[Any, Keys, Any], Any]
"""`with_value`, or another that does as it does."""

_UNSAFE = re.compile(r"[^\w.,=+\[\]-]+")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """What points of the same axes and the same base files share.

    Attributes:
        sweep: the sweep's name.
        paths: the axes, as written.
        labels: the axes' short names.
        config: the full config before the axes' values.
        base: which of the grid's `bases` each section of `config` is.
        targets: for every axis that changes the config, its position in `paths` and the
            keys that it sets.
        asked: for every axis that is a resource, its position and the resource's name.
        unsound: sections whose files are wrong by themselves, or can't be read.
        is_whole: whether all files are sound and each axis has its place.
    """

    sweep: str
    paths: tuple[str, ...]
    labels: tuple[str, ...]
    config: Mapping[str, Any]
    base: Mapping[str, int]
    targets: tuple[tuple[int, Keys], ...]
    asked: tuple[tuple[int, str], ...]
    unsound: frozenset[str] = frozenset()
    is_whole: bool = True

    def config_of(self, values: Sequence[Any], change: Change = with_value) -> Any:
        """The full config of a point, but for its number of ranks."""
        config: Any = self.config
        for position, keys in self.targets:
            config = change(config, keys, values[position])
        return config


class Point:
    """One combination of the axes; its config is put together when asked for."""

    __slots__ = ("frame", "identity", "resources", "values")

    def __init__(
        self, frame: Frame, values: tuple[Any, ...], resources: Resources, identity: str
    ) -> None:
        self.frame = frame
        self.values = values
        self.resources = resources
        """What it asks for; nodes and ranks are decided, the rest may be left to the site."""
        self.identity = identity
        """Hash of everything that changes the result."""

    @property
    def id(self) -> str:
        """The experiment's id: the first digits of its identity."""
        return self.identity[:ID_DIGITS]

    @property
    def name(self) -> str:
        """Sweep and axes' values, e.g. `mnist-lr=0.001-seed=2`; for people, not unique."""
        pairs = zip(self.frame.labels, self.frame.paths, self.values, strict=True)
        values = (f"{label}={_short(path, value)}" for label, path, value in pairs)
        return "-".join([self.frame.sweep, *values])[:_LONGEST_NAME]

    @property
    def overrides(self) -> dict[str, Any]:
        """Values of the axes, by path as written."""
        return dict(zip(self.frame.paths, self.values, strict=True))

    @property
    def base(self) -> Mapping[str, int]:
        """Which of the grid's `bases` each section starts from."""
        return self.frame.base

    @property
    def changes(self) -> list[tuple[Keys, Any]]:
        """How its sections differ from their bases: keys into the config, and values."""
        return [
            (keys, self.values[position])
            for position, keys in self.frame.targets
            if keys[0] in self.frame.base
        ]

    @property
    def config(self) -> dict[str, Any]:
        """The full config; shares what it doesn't change with other points, so don't edit it."""
        return {**self.frame.config_of(self.values), "world_size": self.world_size}

    @property
    def seed(self) -> int:
        """Seed of every random draw."""
        return int(self._scalar("seed"))

    @property
    def subsample_size(self) -> int | None:
        """Samples to train on; None for all."""
        size = self._scalar("subsample_size")
        return None if size is None else int(size)

    @property
    def world_size(self) -> int:
        """Ranks on all nodes together; a part of the identity."""
        return self.resources.world_size

    def _scalar(self, key: str) -> Any:
        position = next((place for place, keys in self.frame.targets if keys == (key,)), None)
        return self.frame.config[key] if position is None else self.values[position]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A grid file's points and what they share.

    Attributes:
        name: the sweep's.
        file: the grid file, as the user gave it; None without one.
        text: its content.
        flags: overrides from the command line, by path.
        tracker: name and project, a list of such, or as the file says it; None for none.
        container: what it asks of its image, as written; empty for nothing.
        starts_from: `{"checkpoint": path}`, where training doesn't start from nothing.
        checkpoints: how often they are written and which are kept, as written.
        bases: for each section, the configs that points start from, fixed overrides included.
        blame: where what is found wrong with a point later on is written.
        points: in the grid's order, none of them twice.
        warnings: what may not be meant so.
        unmet: what a trainer wants of its node that jobs with these resources may not get.
        checkout: top folder of the checkout that jobs run as it is at the launch; None for
            the code that is in the image or installed.
        image: record of the container that was found for it; None before that and without one.
        notify: whom to tell of its first failure and its end.
        preload: modules to load once for many of its training processes.
    """

    name: str
    file: str | None
    text: str
    flags: Mapping[str, Any]
    tags: tuple[str, ...]
    tracker: Any
    container: Mapping[str, Any]
    starts_from: Mapping[str, str] | None
    checkpoints: Mapping[str, Any]
    bases: Mapping[str, Sequence[Any]]
    blame: "Blame"
    points: tuple[Point, ...]
    warnings: tuple[str, ...]
    unmet: tuple[str, ...] = ()
    checkout: Path | None = None
    image: Mapping[str, Any] | None = None
    notify: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()

    @property
    def max_parallel(self) -> int | None:
        """Experiments that may run at once; None for no limit."""
        return min(
            (limit for point in self.points if (limit := point.resources.max_parallel)),
            default=None,
        )


def _short(path: str, value: Any) -> str:
    if path in FOLDERS:
        text = Path(value).stem
    elif isinstance(value, str):
        text = value
    else:
        text = json.dumps(value, separators=(",", ":"))
    return _UNSAFE.sub("_", text)[:_LONGEST_VALUE]
