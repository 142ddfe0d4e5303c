"""A grid, planned and agreed to, and what comes of it."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launch.cli.asking import confirm
from launch.cli.collecting import Format, print_results, results_of
from launch.cli.container import commands, with_image
from launch.cli.finding import open_store
from launch.cli.following import follow
from launch.cli.planning import plan_of, print_plan, print_plan_json
from launch.cli.running import leave, run_experiments
from launch.cli.shipping import with_checkout
from launch.cli.submitting import Launched, later, launch_on_slurm, print_scripts, settle_earlier
from launch.executor import Executor
from launch.text import counted
from pcm.errors import UsageError

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.plan import Plan, PlanItem
    from launch.store import Experiment, Store


def launch_grid(
    grid: "Grid",
    *,
    runs_dir: Path | None,
    executor: Executor,
    site: str | None = None,
    max_parallel: int | None = None,
    dry_run: bool = False,
    wait: bool = False,
    yes: bool = False,
    as_json: bool = False,
) -> None:
    """Plan a grid, show the plan, ask, run what is new, and show what came of all of it.

    Args:
        wait: stay until what Slurm was given has ended; what runs here is waited for anyway.

    Raises:
        UsageError: there is nobody to ask.
        RefusedError: the executor can't run it.
        typer.Exit: an experiment failed, or somebody interrupted.
    """
    if as_json and not (yes or dry_run):
        raise UsageError("--json can't ask", "add --yes or --dry-run")
    store = open_store(runs_dir)
    if executor is Executor.SLURM and not dry_run:
        settle_earlier(store)
    plan = plan_of(grid, store, site)
    if dry_run:
        _show(plan, grid, store, executor, site, as_json=as_json)
        return
    print_plan(plan, grid, err=as_json)
    _tell_of_cpus(plan.work, executor)
    if not plan.work:
        typer.echo("Nothing new to launch.", err=as_json)
        _print_results(grid, store, as_json=as_json)
        return
    _check_executor(executor)
    grid = with_checkout(grid, executor, site, store.root.path, err=as_json)
    grid = with_image(grid, executor, site, store.root.path, err=as_json)
    confirm(f"Launch {counted(len(plan.work), 'experiment')}?", yes=yes)
    ids = [item.id for item in plan.work]
    if executor is Executor.SLURM:
        launched = launch_on_slurm(grid, store, ids, site=site, err=as_json)
        if launched.no_room is not None and not wait:
            raise later(launched.no_room, "submits the rest later; with --wait, as room appears")
        run = follow(launched, store, site=site, err=as_json) if wait else None
    else:
        store.freeze(grid, details={"executor": str(executor), "site": site})
        launched = Launched(_experiments(store, ids))
        experiments = launched.experiments
        run = run_experiments(experiments, executor, max_parallel=max_parallel, err=as_json)
    if run is None and not as_json:
        typer.echo(f"pcm status {grid.name} shows how they fare.")
        return
    _print_results(grid, store, as_json=as_json)
    if run is not None:
        leave(run, launched.experiments)


def _show(
    plan: "Plan",
    grid: "Grid",
    store: "Store",
    executor: Executor,
    site: str | None,
    *,
    as_json: bool,
) -> None:
    """The plan, and for a person what would be run."""
    if as_json:
        print_plan_json(plan)
        return
    print_plan(plan, grid)
    _tell_of_cpus(plan.work, executor)
    with_checkout(grid, executor, site, store.root.path, err=False)
    if executor is Executor.SLURM and plan.work:
        print_scripts(plan.work, grid.name, store.root.path, site)
    else:
        _print_commands(plan.work, grid, store, site)


def _tell_of_cpus(work: "Sequence[PlanItem]", executor: Executor) -> None:
    """Say so where GPUs are asked for that this machine lacks."""
    from launch.machine.devices import visible_devices

    most = max((item.resources.gpus for item in work), default=0)
    if executor is not Executor.LOCAL or not most:
        return
    here = len(visible_devices(os.environ))
    if here < most:
        told = f"note: GPUs asked for: {most}, on this machine: {here}; so CPUs do the training"
        typer.echo(told, err=True)


def _print_results(grid: "Grid", store: "Store", *, as_json: bool) -> None:
    """What became of all points, new or not, set off from what was shown before."""
    typer.echo(err=as_json)
    found = results_of(_experiments(store, [point.id for point in grid.points]))
    print_results(found, Format.JSON if as_json else Format.TABLE)


def _experiments(store: "Store", ids: "Iterable[str]") -> "list[Experiment]":
    known = {experiment.id: experiment for experiment in store.experiments()}
    return [known[each] for each in ids]


def _print_commands(
    work: "Sequence[PlanItem]", grid: "Grid", store: "Store", site: str | None
) -> None:
    """The command line of each experiment's ranks."""
    import shlex

    from launch.container import training_arguments
    from launch.report.plan import SHOWN

    command_of = commands(grid, site)
    typer.echo("Would run:" if work else "Would run nothing.")
    for item in work[:SHOWN]:
        run_dir = store.root.run_dir(item.id)
        attempts = run_dir.attempts()
        number = attempts[-1].number + 1 if attempts else 1
        arguments = training_arguments(run_dir.path, number)
        command = shlex.join(command_of(run_dir.path, arguments))
        ranks = item.resources.world_size
        typer.echo(f"  WORLD_SIZE={ranks} RANK=0{f'..{ranks - 1}' if ranks > 1 else ''} {command}")
    if len(work) > SHOWN:
        typer.echo(f"  and {len(work) - SHOWN:,} more like these")


def _check_executor(executor: Executor) -> None:
    """Refuse what can't be run, before anybody is asked."""
    if executor is Executor.SLURM:
        from launch.slurm.commands import require_slurm

        require_slurm()
