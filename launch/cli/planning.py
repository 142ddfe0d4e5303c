"""From what the command line says to a grid and its plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launch.cli.finding import lines_of
from launch.cli.options import TrackerName
from launch.cli.printing import print_json
from launch.executor import Code
from pcm.errors import ConfigError, Fault

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.plan import Plan
    from launch.store import Store

ONE_RANK: Mapping[str, Any] = {"nodes": 1, "gpus_per_node": 0, "tasks_per_node": 1}
"""What a debugger can look into."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of a grid; it wins over the grid file.

    Attributes:
        overrides: `PATH=VALUE`, of every point.
        resources: entries of `resources`; None leaves one to the file.
        tracker: None leaves it to the file.
        image: the same.
        code: the same.
    """

    overrides: Sequence[str] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    tracker: TrackerName | None = None
    image: str | None = None
    code: Code | None = None

    def for_one_rank(self) -> "Wishes":
        """The same for a single process."""
        return replace(self, resources={**self.resources, **ONE_RANK})

    def expand(self, path: Path) -> "Grid":
        """The grid of a file as it is wished for.

        Raises:
            UsageError: an override is not `PATH=VALUE`.
            ConfigError: with everything that is wrong with the grid.
        """
        from launch.grid import expand, parse_assignment

        overrides = dict(map(parse_assignment, self.overrides))
        resources = {name: value for name, value in self.resources.items() if value is not None}
        try:
            grid = expand(path, overrides=overrides, resources=resources)
        except ConfigError:
            _refuse_other_kinds(path)
            raise
        if self.tracker is not None:
            grid = replace(grid, tracker=_tracker(self.tracker, grid.tracker))
        return with_container(grid, self.image, self.code)


def with_container(grid: "Grid", image: str | None, code: Code | None) -> "Grid":
    """The grid with what the command line says of its `container:`."""
    named = {"image": image, "code": None if code is None else str(code)}
    said = {key: value for key, value in named.items() if value is not None}
    return replace(grid, container={**(grid.container or {}), **said}) if said else grid


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


def _tracker(name: TrackerName, former: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The project of the grid file stays, if it is the same tracker's."""
    if name is TrackerName.NONE:
        return None
    same = former is not None and former["name"] == name
    return {"name": str(name), "project": former.get("project") if former and same else None}


def plan_of(grid: "Grid", store: "Store", site: str | None) -> "Plan":
    """What launching the grid would do now; says so where Slurm can't be asked."""
    from launch.plan import make_plan

    ids = {point.id for point in grid.points}
    lines = lines_of([each for each in store.experiments() if each.id in ids])
    plan = make_plan(grid.points, {line.id: line.state for line in lines})
    if site is None:
        return plan
    from launch.cli.sites import find_site

    defaults = find_site(site).defaults
    items = (replace(item, resources=item.resources.over(defaults)) for item in plan.items)
    return replace(plan, items=tuple(items))


def print_plan(plan: "Plan", grid: "Grid", *, everything: bool = False, err: bool = False) -> None:
    """The plan for a person."""
    from launch.report.plan import plan_summary, plan_table, shown_items
    from launch.report.table import console

    for warning in grid.warnings:
        typer.echo(f"note: {warning}", err=True)
    items = shown_items(plan, everything=everything)
    console(err=err).print(plan_table(items))
    if len(items) < len(plan.items):
        typer.echo(f"{len(plan.items) - len(items):,} more; pcm plan --all shows them", err=err)
    typer.echo(plan_summary(plan), err=err)


def print_plan_json(plan: "Plan") -> None:
    """The plan for a program."""
    from launch.report.plan import plan_record

    print_json(plan_record(plan))
