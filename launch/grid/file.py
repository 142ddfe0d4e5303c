"""What a grid file says, taken apart: overrides that hold for all points, and what varies."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from launch.grid.bases import FOLDERS
from launch.grid.blocks import Block
from pcm.config.document import Document
from pcm.config.keys import Keys, index_in
from pcm.config.structure import line_of
from pcm.config.structures.run_command import RUN, names_script
from pcm.errors import Fault

FLAG = "--set"
"""Begins the keys of an override of the command line, which no file holds."""

RESOURCES = "resources."
"""How paths of resources begin; they are no part of a config."""


@dataclass(frozen=True, slots=True)
class GridFile:
    """What a grid file says, and the command line's last word on it.

    Attributes:
        fixed: overrides that hold for every point, by path; the command line's included.
        blocks: what varies.
        flags: overrides of the command line.
        options: the option that a flag was typed as, for those that weren't with `flag`.
        flag: what faults of the other flags name in place of a file.
        origins: where in the document each path is written.
        defaults: entries of `resources` that hold where nobody says otherwise.
        wrong: places of the document whose form is wrong; it is without them.
    """

    document: Document
    folder: Path
    name: str
    fixed: Mapping[str, Any]
    blocks: tuple[Block, ...]
    flags: Mapping[str, Any]
    options: Mapping[str, str]
    flag: str
    origins: Mapping[str, Keys]
    defaults: Mapping[str, Any]
    wrong: Sequence[Keys] = ()

    def entry(self, key: str, default: Any) -> Any:
        """A top-level entry; `default` where it is absent or null."""
        value = self.document.data.get(key)
        return default if value is None else value

    @property
    def sections(self) -> tuple[str, ...]:
        """Sections of its points' configs: each from a file, or a script from the grid file."""
        return (RUN,) if names_script(self.document.data) else tuple(FOLDERS)

    def file(self, section: str) -> str | None:
        """Name of a section's base file, unless an axis varies it."""
        named = {} if ("base", section) in self.wrong else self.entry("base", {})
        file: str | None = self.fixed.get(section, named.get(section))
        return file

    def scalar(self, key: str, default: Any) -> Any:
        """Value of a config's entry that is no file, unless an axis varies it."""
        return self.fixed.get(key, self.entry(key, default))

    @property
    def resources(self) -> dict[str, Any]:
        """Entries of `resources` that hold for every point, without those of flags."""
        entries = {**self.defaults, **self.entry("resources", {})}
        return entries | _resources(self._without_flags())

    @property
    def resource_flags(self) -> dict[str, Any]:
        """Entries of `resources` from the command line, which win over every axis."""
        return _resources(self.flags)

    @property
    def more(self) -> dict[str, Any]:
        """What changes results besides the config."""
        return {key: self.entry(key, None) for key in ("version", "starts_from")}

    def _without_flags(self) -> dict[str, Any]:
        return {path: value for path, value in self.fixed.items() if path not in self.flags}

    def locate(self, fault: Fault, *paths: str) -> Fault:
        """The fault, placed where the first of `paths` that is written anywhere is."""
        above = (part for path in paths for part in _above(path))
        for path in (*paths, *above):
            if path in self.options:
                return replace(fault, file=self.options[path], line=None, key=None)
            if path in self.flags:
                return replace(fault, file=self.flag, line=None)
            for keys in (self.origins.get(path, ()), ("base", path), _keys_of(path)):
                if keys and keys in self.document.lines:
                    return self.at(fault, keys)
        is_of_file = any(path.partition(".")[0] in FOLDERS for path in paths)
        return self.at(fault, ("base",) if is_of_file else ())

    def at(self, fault: Fault, keys: Keys) -> Fault:
        """The fault, placed at `keys` of the document."""
        line = line_of(self.document.lines, keys)
        return replace(fault, file=self.document.name, line=line)


def _above(path: str) -> Iterator[str]:
    """The paths that lead to it, the longest first."""
    while path := path.rpartition(".")[0]:
        yield path


def _keys_of(path: str) -> Keys:
    """Where the document has a path that leads from its top."""
    parts = ((index_in(part), part) for part in path.split("."))
    return tuple(part if index is None else index for index, part in parts)


def _resources(paths: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path.removeprefix(RESOURCES): value
        for path, value in paths.items()
        if path.startswith(RESOURCES)
    }
