"""From what the command line says to a grid and its plan, and from these to running jobs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launch.cli.asking import confirm
from launch.cli.collecting import Format, print_results, results_of
from launch.cli.finding import open_store
from launch.cli.options import Executor, TrackerName
from launch.cli.running import leave, run_experiments
from launch.report.text import counted
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.plan import Plan, PlanItem
    from launch.store import Experiment, Store


ONE_RANK: Mapping[str, Any] = {"nodes": 1, "gpus_per_node": 0, "tasks_per_node": 1}
"""What a debugger can look into."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says of a grid; it wins over the grid file.

    Attributes:
        overrides: `PATH=VALUE`, of every point.
        resources: entries of `resources`; None leaves one to the file.
        site: a site's name or file.
        tracker: None leaves it to the file.
        image: the same.
    """

    overrides: Sequence[str] = ()
    resources: Mapping[str, Any] = field(default_factory=dict)
    site: str | None = None
    tracker: TrackerName | None = None
    image: str | None = None

    def values(self) -> dict[str, Any]:
        """The overrides, by path."""
        from launch.grid import parse_assignment

        return dict(map(parse_assignment, self.overrides))

    def for_one_rank(self) -> "Wishes":
        """The same for a single process."""
        return replace(self, resources={**self.resources, **ONE_RANK})

    def given_resources(self) -> dict[str, Any]:
        """The resources that are asked for."""
        return {name: value for name, value in self.resources.items() if value is not None}


def with_wishes(grid: "Grid", wishes: Wishes) -> "Grid":
    """The grid with the command line's tracker and image."""
    if wishes.tracker is not None:
        grid = replace(grid, tracker=_tracker(wishes.tracker, grid.tracker))
    if wishes.image is not None:
        grid = replace(grid, container={**(grid.container or {}), "image": wishes.image})
    return grid


def _tracker(name: TrackerName, former: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The project of the grid file stays, if it is the same tracker's."""
    if name is TrackerName.NONE:
        return None
    same = former is not None and former["name"] == name
    return {"name": str(name), "project": former.get("project") if former and same else None}


def plan_of(grid: "Grid", store: "Store", site: str | None) -> "Plan":
    """What launching the grid would do now."""
    from launch.facts import read_statuses
    from launch.plan import make_plan

    known = read_statuses(store.experiments())
    plan = make_plan(grid.points, {each: status.state for each, status in known.items()})
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


def launch_grid(
    grid: "Grid",
    *,
    runs_dir: Path | None,
    executor: Executor,
    site: str | None = None,
    max_parallel: int | None = None,
    dry_run: bool = False,
    yes: bool = False,
    as_json: bool = False,
) -> None:
    """Plan a grid, show the plan, ask, run what is new, and show what came of all of it.

    Raises:
        UsageError: there is nobody to ask.
        RefusedError: the executor can't run it.
        typer.Exit: an experiment failed, or somebody interrupted.
    """
    if as_json and not (yes or dry_run):
        raise UsageError("--json can't ask", "add --yes or --dry-run")
    store = open_store(runs_dir)
    plan = plan_of(grid, store, site)
    if as_json and dry_run:
        print_plan_json(plan)
        return
    print_plan(plan, grid, err=as_json)
    if dry_run:
        print_commands(plan.work, store)
        return
    if not plan.work:
        typer.echo("Nothing new to launch.", err=as_json)
        _print_results(grid, store, as_json=as_json)
        return
    check_executor(grid, executor)
    confirm(f"Launch {counted(len(plan.work), 'experiment')}?", yes=yes)
    store.freeze(grid, details={"executor": str(executor), "site": site})
    launched = _experiments(store, [item.id for item in plan.work])
    run = run_experiments(launched, executor, max_parallel=max_parallel, err=as_json)
    _print_results(grid, store, as_json=as_json)
    leave(run, launched)


def _print_results(grid: "Grid", store: "Store", *, as_json: bool) -> None:
    """What became of all points, new or not, set off from what was shown before."""
    typer.echo(err=as_json)
    found = results_of(_experiments(store, [point.id for point in grid.points]))
    print_results(found, Format.JSON if as_json else Format.TABLE)


def _experiments(store: "Store", ids: "Iterable[str]") -> "list[Experiment]":
    known = {experiment.id: experiment for experiment in store.experiments()}
    return [known[each] for each in ids]


def print_plan_json(plan: "Plan") -> None:
    """The plan for a program."""
    import json

    from launch.report.plan import plan_record

    typer.echo(json.dumps(plan_record(plan), indent=1))


def print_commands(work: "Sequence[PlanItem]", store: "Store") -> None:
    """The command line of each experiment's ranks."""
    import os
    import shlex

    from launch.container import training_arguments, training_command, training_python
    from launch.report.plan import SHOWN

    python = training_python(os.environ)
    typer.echo("Would run:" if work else "Would run nothing.")
    for item in work[:SHOWN]:
        run_dir = store.root.run_dir(item.id)
        attempts = run_dir.attempts()
        number = attempts[-1].number + 1 if attempts else 1
        arguments = training_arguments(run_dir.path, number)
        command = shlex.join(training_command(python, arguments))
        ranks = item.resources.world_size
        typer.echo(f"  WORLD_SIZE={ranks} RANK=0{f'..{ranks - 1}' if ranks > 1 else ''} {command}")
    if len(work) > SHOWN:
        typer.echo(f"  and {len(work) - SHOWN:,} more like these")


def check_executor(grid: "Grid", executor: Executor) -> None:
    """Refuse what can't be run, before anybody is asked."""
    from launch.container import require_no_image

    require_no_image((grid.container or {}).get("image"))
    if executor is Executor.SLURM:
        from launch.submit import require_slurm

        require_slurm()
