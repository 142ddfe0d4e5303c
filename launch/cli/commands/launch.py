"""`pcm launch`: a grid file, planned and agreed to, and what comes of it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from launch.cli.again import later
from launch.cli.options import (
    CodeOption,
    DryRun,
    ExecutorOption,
    GridFile,
    Image,
    Json,
    Overrides,
    RunsDir,
    SiteOption,
    TrackerOption,
    Wait,
    Yes,
)
from launch.cli.resource_options import with_resources
from launch.executor import Executor
from pcm.errors import ExitCode, UsageError
from pcm.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from launch.grid import Grid
    from launch.proposal import Launch, Proposal
    from launch.store import Experiment
    from launch.submit.completion import Completion


@with_resources()
def launch(
    grid: GridFile,
    *,
    executor: ExecutorOption = Executor.SLURM,
    site: SiteOption = None,
    resources: Mapping[str, Any],
    image: Image = None,
    code: CodeOption = None,
    overrides: Overrides = None,
    tracker: TrackerOption = None,
    runs_dir: RunsDir = None,
    dry_run: DryRun = False,
    wait: Wait = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Plan a grid, ask, and run what is new.

    Experiments that are done, running or waiting are left as they are; failed and stopped
    ones go on from their newest checkpoint. Flags win over the grid file, the grid file
    over your settings, and these over the site.

    \b
    Examples:
      pcm launch config/grids/quickstart.yaml --partition gpu
      pcm launch config/grids/quickstart.yaml --executor local
      pcm launch config/grids/quickstart.yaml --set seed=7 --dry-run
      pcm launch config/grids/quickstart.yaml -p gpu -t 90min -- --licenses=x
    """
    from launch.grid import parse_assignment
    from launch.site import chosen_site
    from launch.user_settings import read_settings
    from launch.wishes import Wishes

    assigned = dict(map(parse_assignment, overrides or ()))
    wishes = Wishes(assigned, resources, tracker, image, code, read_settings())
    launch_grid(
        wishes.for_executor(executor).expand(grid),
        runs_dir=runs_dir,
        executor=executor,
        site=chosen_site(site),
        max_parallel=resources["max_parallel"],
        dry_run=dry_run,
        wait=wait,
        yes=yes,
        as_json=as_json,
    )


def launch_grid(
    grid: "Grid",
    *,
    runs_dir: Path | None,
    executor: Executor,
    site: str | None,
    max_parallel: int | None,
    dry_run: bool,
    yes: bool,
    wait: bool = False,
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
    from launch.proposal import prepare, propose, settle
    from launch.report.plan_table import print_plan
    from launch.report.terminal import agrees, note, teller
    from launch.store.finding import open_store
    from launch.text import counted

    if as_json and not (yes or dry_run):
        raise UsageError("--json can't ask", "add --yes or --dry-run")
    store = open_store(runs_dir)
    if not dry_run:
        settle(store, executor, note)
    proposal = propose(grid, store, executor, site, note)
    if dry_run:
        _show(proposal, as_json=as_json)
        return
    print_plan(proposal.plan, proposal.warnings, err=as_json)
    _note_cpus(proposal)
    if not proposal.plan.work:
        typer.echo("Nothing new to launch.", err=as_json)
        _note_cancelled(proposal, as_json=as_json)
        _print_results(proposal, as_json=as_json)
        return
    prepared = prepare(proposal, teller(err=as_json))
    if not agrees(f"Launch {counted(len(proposal.plan.work), 'experiment')}?", yes=yes):
        raise typer.Exit(ExitCode.INTERRUPTED)
    _carry_out(prepared, wait=wait, max_parallel=max_parallel, as_json=as_json)


def _note_cancelled(proposal: "Proposal", *, as_json: bool) -> None:
    """Why nothing happens to a grid that somebody has cancelled as a whole."""
    if all(item.state == "cancelled" for item in proposal.plan.items):
        name = shlex.quote(proposal.grid.name)
        typer.echo(f"All of it was cancelled; `pcm resume {name}` brings it back.", err=as_json)


def _carry_out(
    proposal: "Proposal", *, wait: bool, max_parallel: int | None, as_json: bool
) -> None:
    from launch.proposal import carry_out
    from launch.report.live import live_view
    from launch.report.table import console
    from launch.report.terminal import teller

    with live_view(console(err=as_json)) as show:
        done = carry_out(proposal, show, teller(err=as_json), wait=wait, max_parallel=max_parallel)
    _leave(proposal, done, as_json=as_json)


def _leave(proposal: "Proposal", done: "Launch", *, as_json: bool) -> None:
    launched = done.launched
    if launched.no_room is not None and done.completion is None:
        remedy = "submits the rest later; with --wait, as room appears"
        raise later(launched.no_room.message, remedy)
    if done.completion is None and not as_json:
        typer.echo(f"pcm status {shlex.quote(proposal.grid.name)} shows how they fare.")
        return
    _print_results(proposal, as_json=as_json)
    if done.completion is not None:
        leave(done.completion, launched.experiments)


def leave(completion: "Completion", experiments: "Sequence[Experiment]") -> None:
    """Say what is not done of experiments that were waited for, and how to go on.

    Raises:
        typer.Exit: an experiment failed, somebody interrupted, or has an experiment in hand.
    """
    from launch.report.unfinished import ending_of

    ending = ending_of(completion, experiments)
    for line in ending.lines:
        typer.echo(printable(line), err=True)
    if ending.exit_code is not ExitCode.DONE:
        raise typer.Exit(ending.exit_code)


def _show(proposal: "Proposal", *, as_json: bool) -> None:
    """The plan, and for a person what would be run."""
    from launch.report.plan_table import plan_record, print_plan
    from launch.report.terminal import print_json, teller
    from launch.site import site_of
    from launch.submit.shipping import with_checkout

    if as_json:
        print_json(plan_record(proposal.plan))
        return
    print_plan(proposal.plan, proposal.warnings)
    _note_cpus(proposal)
    root = proposal.store.root.path
    site = site_of(proposal.site)
    with_checkout(proposal.grid, proposal.executor, site, root, teller(err=False))
    if proposal.executor is Executor.SLURM and proposal.plan.work:
        _print_scripts(proposal)
    else:
        _print_commands(proposal)


def _print_scripts(proposal: "Proposal") -> None:
    """What sbatch would get."""
    from launch.report.terminal import teller
    from launch.site import site_of
    from launch.submit.launches import imagined_scripts
    from launch.text import counted

    found = imagined_scripts(
        proposal.plan.work,
        proposal.grid.name,
        proposal.store.root.path,
        site_of(proposal.site),
        teller(err=True),
    )
    for request, script in found:
        typer.echo(f"\n--- sbatch, {counted(len(request.ids), 'experiment')}:\n{printable(script)}")


def _print_commands(proposal: "Proposal") -> None:
    """The command line of each experiment's ranks."""
    from launch.container import training_arguments
    from launch.report.plan_table import SHOWN
    from launch.site import site_of
    from launch.submit.images import training_commands

    command_of = training_commands(proposal.grid, site_of(proposal.site))
    work = proposal.plan.work
    typer.echo("Would run:" if work else "Would run nothing.")
    for item in work[:SHOWN]:
        run_dir = proposal.store.root.run_dir(item.id)
        attempts = run_dir.attempts()
        number = attempts[-1].number + 1 if attempts else 1
        arguments = training_arguments(run_dir.path, number)
        command = printable(shlex.join(command_of(run_dir.path, arguments)))
        ranks = item.resources.world_size
        typer.echo(f"  WORLD_SIZE={ranks} RANK=0{f'..{ranks - 1}' if ranks > 1 else ''} {command}")
    if len(work) > SHOWN:
        typer.echo(f"  and {len(work) - SHOWN:,} more like these")


def _note_cpus(proposal: "Proposal") -> None:
    """Say so where GPUs are asked for that this machine lacks."""
    import os

    from launch.machine.devices import visible_devices

    most = max((item.resources.gpus for item in proposal.plan.work), default=0)
    if proposal.executor is not Executor.LOCAL or not most:
        return
    here = len(visible_devices(os.environ))
    if here < most:
        text = f"note: GPUs asked for: {most}, on this machine: {here}; so CPUs do the training"
        typer.echo(text, err=True)


def _print_results(proposal: "Proposal", *, as_json: bool) -> None:
    """What became of all points, new or not, set off from what was shown before."""
    from launch.report.results import print_results, results_records
    from launch.report.terminal import note, print_json
    from launch.results.rows import results_of

    typer.echo(err=as_json)
    found = results_of(proposal.experiments(), note, with_costs=as_json)
    if as_json:
        print_json(results_records(found))
    else:
        print_results(found)
