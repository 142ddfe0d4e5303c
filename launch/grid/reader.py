"""A grid file, read and checked on its own: names, axes, draws; not yet what they mean."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.grid.bases import FOLDERS
from launch.grid.blocks import Block, explicit_block, product_block
from launch.grid.draws import draw_axis
from launch.grid.file import FLAG, GridFile
from launch.grid.names import name_problem
from launch.grid.sound import has_files, sound_entries
from pcm.config.document import Document
from pcm.config.keys import Keys
from pcm.config.names import did_you_mean
from pcm.config.structure import Inspector, find_faults, line_of
from pcm.config.structures.grid import GRID
from pcm.config.structures.run_command import RUN, names_script
from pcm.config.wording import hint_for, shown
from pcm.errors import Fault

HEADS = (*FOLDERS, "seed", "subsample_size", "resources")
"""What an override path may begin with."""

SCRIPT_HEADS = (RUN, "seed", "resources")
"""The same where a script is run."""

WHOLES = (RUN, "resources")
"""Those of which only entries can be set."""

SCALARS = ("seed", "subsample_size")
"""Those of them that are a single value."""

MOST_POINTS = 100_000
"""Points that a grid may have, counted before any is made: these are checked in seconds, and
ten times as many in a minute and in gigabytes."""


class GridReader:
    """Collects what is wrong with a grid file while it is taken apart.

    Args:
        flags, options, flag, defaults: see `GridFile`.
    """

    def __init__(
        self,
        document: Document,
        folder: Path,
        *,
        flags: Mapping[str, Any],
        options: Mapping[str, str],
        flag: str,
        defaults: Mapping[str, Any],
    ) -> None:
        self.document = document
        self.folder = folder
        self.flags = flags
        self.options = options
        self.flag = flag
        self.defaults = defaults
        self.faults: list[Fault] = []
        self._wrong: list[Keys] = []
        self._origins: dict[str, Keys] = {}

    def read(self) -> GridFile | None:
        """The grid file; None where nobody can tell what its points are of. See `faults`."""
        self._check_form()
        if self.faults and not has_files(self.document.data):
            return None
        data = {key: value for key, value in self.document.data.items() if value is not None}
        name = data.get("name", Path(self.document.name).stem)
        self._check_name(name)
        fixed = self._fixed(data.get("set", {}))
        groups = [*self._product(data.get("grid", {})), *self._zips(data.get("zip", []))]
        if "random" in data:
            groups += self._random(data["random"])
        blocks = self._blocks(groups, data.get("include", []))
        for path, value in self.flags.items():
            self._has_place(path, [value], (FLAG, path))
        return GridFile(
            document=self.document,
            folder=self.folder,
            name=name,
            fixed={**fixed, **self.flags},
            blocks=blocks,
            flags=self.flags,
            options=self.options,
            flag=self.flag,
            origins=self._origins,
            defaults=self.defaults,
            wrong=self._wrong,
        )

    def _check_form(self) -> None:
        """Leave out what is wrong by itself, and read on with the rest."""
        data, lines = self.document.data, self.document.lines
        self.faults += find_faults(data, GRID, file=self.document.name, lines=lines)
        if self.faults and has_files(data):
            self._wrong += [finding.keys for finding in Inspector().inspect(data, GRID)]
            self.document = replace(self.document, data=sound_entries(data, self._wrong))

    def _check_name(self, name: str) -> None:
        problem = name_problem(name)
        if problem:
            hint = "letters, digits, '-', '_' and '.' are safe"
            self._fault(("name",), problem, found=repr(name), hint=hint)

    def _fixed(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        return {
            path: value
            for path, value in overrides.items()
            if self._has_place(path, [value], ("set", path)) and self._claimed(path, ("set", path))
        }

    def _product(self, axes: Mapping[str, Any]) -> Iterator[Mapping[str, list[Any]]]:
        for path, values in axes.items():
            keys = ("grid", path)
            if self._is_axis(keys, values) and self._claimed(path, keys):
                yield {path: values}

    def _zips(self, groups: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, list[Any]]]:
        for index, group in enumerate(groups):
            axes = {
                path: values
                for path, values in group.items()
                if self._is_axis(("zip", index, path), values)
            }
            self._check_equal_length(index, axes)
            shortest = min(map(len, axes.values()), default=0)
            yield {
                path: values[:shortest]
                for path, values in axes.items()
                if self._claimed(path, ("zip", index, path))
            }

    def _random(self, random: Mapping[str, Any]) -> Iterator[Mapping[str, list[Any]]]:
        if not 1 <= random["n"] <= MOST_POINTS:
            expected = f"a number of draws from 1 to {MOST_POINTS:,}"
            found = shown(random["n"])
            self._fault(("random", "n"), "out of range", found=found, expected=expected)
            return
        if not random["axes"]:
            self._fault(
                ("random", "axes"), "draws without axes", expected="PATH: {DISTRIBUTION: ...}"
            )
        draws = {}
        for path, spec in random["axes"].items():
            keys = ("random", "axes", path)
            try:
                values = draw_axis(path, spec, random.get("seed") or 0, random["n"])
            except ValueError as error:
                self._fault(keys, str(error))
            else:
                if self._claimed(path, keys) and self._is_axis(keys, values):
                    draws[path] = values
        yield draws

    def _blocks(
        self, groups: Sequence[Mapping[str, list[Any]]], include: Sequence[Mapping[str, Any]]
    ) -> tuple[Block, ...]:
        groups = [group for group in groups if group]
        extra = []
        for index, overrides in enumerate(include):
            kept = {}
            for path, value in overrides.items():
                keys = ("include", index, path)
                if self._has_place(path, [value], keys) and path not in self.flags:
                    kept[path] = value
                    self._origins.setdefault(path, keys)
            extra.append(explicit_block(kept))
        # A list of points and no axes means these points, not the base beside them.
        if not self._is_feasible(groups, include) or (extra and not groups):
            return tuple(extra)
        return (product_block(groups), *extra)

    def _is_feasible(
        self, groups: Sequence[Mapping[str, list[Any]]], include: Sequence[Mapping[str, Any]]
    ) -> bool:
        """Whether the axes make no more points than a grid may have."""
        lengths = {" and ".join(group): len(next(iter(group.values()))) for group in groups}
        points = math.prod(lengths.values()) + len(include)
        if points > MOST_POINTS:
            longest = sorted(lengths, key=lambda name: -lengths[name])[:3]
            sizes = ", ".join(f"{name}: {lengths[name]:,}" for name in longest)
            self._fault(
                next(
                    (key,)
                    for key in ("grid", "zip", "random", "include")
                    if key in self.document.data
                ),
                f"the axes make {points:,} points, those that `exclude` drops among them",
                found=sizes,
                expected=f"at most {MOST_POINTS:,}",
                hint="shorten an axis, draw points with `random`, or make several grid files",
            )
        return points <= MOST_POINTS

    def _is_axis(self, keys: Keys, values: Any) -> bool:
        if not isinstance(values, list):
            hint = hint_for(values, list)
            self._fault(keys, "an axis needs a list of values", found=shown(values), hint=hint)
            return False
        if not values:
            self._fault(keys, "an axis without values", hint="give it a value, or leave it out")
            return False
        return self._has_place(str(keys[-1]), values, keys)

    def _check_equal_length(self, index: int, axes: Mapping[str, list[Any]]) -> None:
        lengths = {path: len(values) for path, values in axes.items()}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{path}: {length}" for path, length in lengths.items())
            self._fault(("zip", index), "axes that advance together differ in length", found=found)

    def _claimed(self, path: str, keys: Keys) -> bool:
        """Whether `keys` is the place that decides about `path`; a flag takes it over."""
        if path in self.flags:
            return False
        if path in self._origins:
            first = line_of(self.document.lines, self._origins[path])
            self._fault(keys, f"the same path is set in line {first} already")
            return False
        self._origins[path] = keys
        return True

    def _has_place(self, path: str, values: Sequence[Any], keys: Keys) -> bool:
        """Whether there is anything in an experiment that `path` can set to each of `values`."""
        head = path.split(".", 1)[0]
        heads = SCRIPT_HEADS if names_script(self.document.data) else HEADS
        if head not in heads or path in WHOLES:
            expected = f"a path that begins with one of {', '.join(heads)}"
            hint = did_you_mean(head, heads) or self._longer(path)
            self._fault(keys, "no such place", expected=expected, hint=hint)
            return False
        if head in SCALARS and path != head:
            self._fault(keys, f"nothing is below '{head}'", expected=f"the path `{head}` alone")
            return False
        others = (value for value in values if not isinstance(value, str))
        for value in others if path in FOLDERS else ():
            self._fault(keys, "not a file's name", found=shown(value), expected="a YAML file")
            return False
        return True

    def _longer(self, path: str) -> str | None:
        """The path that is meant where the way to an argument or a param was left out."""
        head = path.split(".", 1)[0]
        script = self.document.data.get(RUN)
        params = script.get("params") if isinstance(script, dict) else None
        if script is not None:
            is_known = isinstance(params, dict) and head in params
            return f"did you mean '{RUN}.params.{path}'?" if is_known else None
        if head == "init_args":
            return f"did you mean 'model.{path}'?"
        return (
            f"an argument of a class is at model.init_args.{path}, the Trainer's at trainer.kwargs"
        )

    def _fault(self, keys: Keys, problem: str, **details: Any) -> None:
        """Add a fault at `keys` of the document, or at `(FLAG, path)` of the command line."""
        self._wrong.append(keys)
        if keys[0] == FLAG:
            option = self.options.get(str(keys[1]))
            key = None if option else str(keys[1])
            fault = Fault(problem, file=option or self.flag, key=key, **details)
        else:
            line = line_of(self.document.lines, keys)
            place = ".".join(map(str, keys))
            fault = Fault(problem, file=self.document.name, line=line, key=place, **details)
        self.faults.append(fault)
