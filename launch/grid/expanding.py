"""Grid file -> points, each checked all the way down. Nothing is written or printed."""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from launch.grid.apart import faults_apart
from launch.grid.blame import Blame
from launch.grid.blocks import Block, product_block
from launch.grid.checking import Checker
from launch.grid.file import RESOURCES, GridFile
from launch.grid.frames import FrameMaker
from launch.grid.identities import Identities, Row
from launch.grid.points import Frame, Grid, Point
from launch.grid.programs import remarks_on_scripts
from launch.grid.reader import GridReader
from launch.grid.resource_requests import ResourceRequests
from launch.grid.rules import Rule
from launch.grid.sound import files_are_known, points_are_known, ranks_are_known
from launch.grid.spelling import OPTIONS, Spelling
from launch.site import Resources
from launch.text import short_labels
from pcm.config.check import SECTIONS
from pcm.config.document import Document, load_document
from pcm.config.override import Variants
from pcm.config.structure import Finding, line_of
from pcm.config.structures.run_command import RUN
from pcm.errors import ConfigError, Fault
from pcm.garbage_collection import no_garbage_collection

MOST_FAULTS = 50
"""Faults of a grid's points that are listed; the rest are counted."""

_RANKS = ("world_size",)


def expand(
    path: str | Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    spelling: Spelling = OPTIONS,
) -> Grid:
    """The points of a grid file.

    Order: the axes of `grid` as written, the last one running fastest, then the groups of
    `zip`, then the draws of `random`; at the end the points of `include`.

    Args:
        overrides: values by path that win over the file's, from the command line.
        resources: the same for entries of `resources`, each from an option of its name.
        defaults: entries of `resources` that the file wins over.
        spelling: how overrides and resources are called in what is said of them.

    Raises:
        ConfigError: with everything that is wrong with the grid, its base files and points.
    """
    document = load_document(path)
    text = Path(path).read_text(encoding="utf-8-sig")
    return expand_document(
        document,
        text,
        Path(path).parent,
        overrides=overrides,
        resources=resources,
        defaults=defaults,
        spelling=spelling,
    )


def expand_document(
    document: Document,
    text: str,
    folder: Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
    spelling: Spelling = OPTIONS,
) -> Grid:
    """As `expand`, for a grid file that was read already.

    Args:
        text: what the document was read from.
        folder: where base files are looked up first.
    """
    asked = {f"{RESOURCES}{name}": value for name, value in (resources or {}).items()}
    flags = {**(overrides or {}), **asked}
    options = {f"{RESOURCES}{name}": spelling.resource(name) for name in resources or {}}
    reader = GridReader(
        document,
        folder,
        flags=flags,
        options=options,
        flag=spelling.overrides,
        defaults=defaults or {},
    )
    grid = reader.read()
    if grid is None:
        raise ConfigError(reader.faults)
    with no_garbage_collection():
        return _Expansion(grid, reader.faults).run(text, flags)


class _Expansion:
    """One pass over the rows of a grid."""

    def __init__(self, grid: GridFile, faults: Sequence[Fault]) -> None:
        labels = short_labels(path for block in grid.blocks for path in block.paths)
        self._grid = grid
        self._faults = list(faults)
        self._frames = FrameMaker(grid, labels)
        self._blame = Blame(grid, self._frames)
        self._requests = ResourceRequests(grid, self._blame)
        self._rules = [Rule(pairs, grid) for pairs in grid.entry("exclude", [])]
        self._has_axes, self._has_ranks = points_are_known(grid.wrong), ranks_are_known(grid.wrong)
        self._variants = Variants()
        self._checker = Checker()
        self._identities = Identities(self._variants, grid.more)
        self._findings: Counter[Fault] = Counter()
        self._right: list[Row] = []
        self._points: dict[str, Point] = {}
        self._repeated: list[str] = []

    def run(self, text: str, flags: Mapping[str, Any]) -> Grid:
        """The grid with its points.

        Raises:
            ConfigError: with everything that was found wrong.
        """
        # Where axes are wrong there may be no rows; the files are looked at all the same.
        blocks = self._grid.blocks or (product_block([]),)
        for block in blocks if files_are_known(self._grid.wrong) else ():
            for frame, rows in self._frames.runs(block):
                self._look_at(block, frame, rows)
        of_files = [*self._frames.faults, *faults_apart(self._grid, blocks, self._frames.apart)]
        faults = [*self._faults, *dict.fromkeys(of_files), *self._rule_faults()]
        faults += [*self._requests.faults(), *_summed(self._findings)]
        if not faults and not self._right:
            fault = Fault("every point is excluded", key="exclude")
            faults = [self._grid.locate(fault, "exclude")]
        if faults:
            raise ConfigError(faults)
        self._name_points()
        return self._result(text, flags)

    def _look_at(self, block: Block, frame: Frame, rows: Sequence[tuple[Any, ...]]) -> None:
        # Each step for all rows before the next: all steps for each row in turn take half as
        # long again.
        kept = self._kept(block, frame, rows)
        resources = self._resources_of(frame, kept)
        if not self._is_known(frame):
            for values in kept:
                config = frame.config_of(values, self._variants.with_value)
                self._note(self._findings_of_parts(frame, values, config), frame, config)
            return
        for values, asked in zip(kept, resources, strict=True):
            if self._is_right(frame, values, asked.world_size):
                self._right.append((frame, values, asked))

    def _is_right(self, frame: Frame, values: Sequence[Any], world_size: int) -> bool:
        """Whether nothing is wrong with a point; what is wrong is noted."""
        if self._has_ranks and self._checker.passes(frame, values, world_size):
            return True
        config = frame.config_of(values, self._variants.with_value)
        config = {**config, "world_size": world_size if self._has_ranks else None}
        found = self._checker.findings(config)
        self._note((each for each in found if each.keys != _RANKS), frame, config)
        return not found

    def _name_points(self) -> None:
        identities = self._identities.of(self._right)
        for row, identity in zip(self._right, identities, strict=True):
            point = Point(*row, identity)
            if self._points.setdefault(identity, point) is not point:
                self._repeated.append(point.name)

    def _is_known(self, frame: Frame) -> bool:
        """Whether points are what the file means: no axis is lacking, and no file is wrong."""
        return frame.is_whole and self._has_axes

    def _findings_of_parts(
        self, frame: Frame, values: Sequence[Any], config: Mapping[str, Any]
    ) -> Iterator[Finding]:
        """What is wrong with sections that are known wholly, and with single values of others."""
        fixed = self._frames.fixed_keys(frame.config, frame.unsound).values()
        places = (*fixed, *(keys for _, keys in frame.targets))
        known = {str(keys[0]) for keys in places if len(keys) > 1} if self._has_axes else set()
        lost = self._frames.lost_sections(frame)
        known = (known & SECTIONS.keys()) - lost
        elsewhere = known | (lost & SECTIONS.keys())
        for found in self._checker.findings_alone(frame, values, fixed):
            if found.keys[0] not in elsewhere:
                yield found
        yield from self._checker.findings_of_sections(config, sorted(known))

    def _note(self, findings: Iterable[Finding], frame: Frame, config: Any) -> None:
        blame = self._blame.on_grid
        self._findings.update(blame(found, frame, config) for found in findings)

    def _kept(
        self, block: Block, frame: Frame, rows: Sequence[tuple[Any, ...]]
    ) -> Sequence[tuple[Any, ...]]:
        """The rows that no rule excludes."""
        if block.explicit or not self._rules:
            return rows
        # Every rule looks at every point, so that one behind another is not taken for idle.
        return [row for row in rows if not sum(rule.drops(frame, row) for rule in self._rules)]

    def _resources_of(self, frame: Frame, rows: Sequence[tuple[Any, ...]]) -> list[Resources]:
        changes_trainer = any(keys[0] == "trainer" for _, keys in frame.targets)
        is_known = self._has_ranks and self._is_known(frame)

        def asked(values: tuple[Any, ...]) -> Resources:
            change = self._variants.with_value
            config = frame.config_of(values, change) if changes_trainer else frame.config
            return self._requests.of(frame, values, config, is_known=is_known)

        if changes_trainer or frame.asked:
            return [*map(asked, rows)]
        return [*map(asked, rows[:1])] * len(rows)

    def _rule_faults(self) -> Iterator[Fault]:
        for index, rule in enumerate(self._rules):
            if rule.lost is not None:
                yield from (self._grid.at(fault, ("exclude", index)) for fault in rule.lost.faults)

    def _result(self, text: str, flags: Mapping[str, Any]) -> Grid:
        entry = self._grid.entry
        return Grid(
            name=self._grid.name,
            file=self._grid.document.name,
            text=text,
            flags=flags,
            tags=tuple(entry("tags", [])),
            tracker=entry("tracker", None),
            container=_without_nulls(entry("container", {})),
            starts_from=entry("starts_from", None),
            checkpoints=_without_nulls(entry("checkpoints", {})),
            bases=self._frames.bases,
            blame=self._blame,
            points=tuple(self._points.values()),
            warnings=(*self._idle_rules(), *self._repeats(), *self._of_scripts()),
            unmet=tuple(self._requests.unmet),
            notify=_as_tuple(entry("notify", None)),
            preload=tuple(entry("preload", [])),
        )

    def _idle_rules(self) -> Iterator[str]:
        for index, rule in enumerate(self._rules):
            if not rule.matched:
                line = line_of(self._grid.document.lines, ("exclude", index))
                yield f"{self._grid.document.name}:{line}: this exclude rule matches no point"

    def _of_scripts(self) -> Iterator[str]:
        most = max((point.resources.world_size for point in self._points.values()), default=1)
        return remarks_on_scripts(self._grid, self._frames.bases.get(RUN, ()), most)

    def _repeats(self) -> Iterator[str]:
        if self._repeated:
            shown = ", ".join(self._repeated[:3]) + (", ..." if len(self._repeated) > 3 else "")
            verb = "point is" if len(self._repeated) == 1 else "points are"
            yield f"{len(self._repeated)} {verb} there twice and kept once: {shown}"


def _as_tuple(value: str | Sequence[str] | None) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _without_nulls(entries: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entries.items() if value is not None}


def _summed(findings: Mapping[Fault, int]) -> Iterator[Fault]:
    """Each fault once, with the number of points that have it."""
    for fault, count in itertools.islice(findings.items(), MOST_FAULTS):
        shared = f" (in {count:,} points)" if count > 1 else ""
        yield replace(fault, problem=fault.problem + shared)
    if len(findings) > MOST_FAULTS:
        yield Fault(f"and {len(findings) - MOST_FAULTS:,} more like these")
