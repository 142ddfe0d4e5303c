"""Handing experiments to Slurm, and following them for those who want to wait."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launch.cli.holding import choose
from launch.cli.options import Executor
from launch.cli.planning import plan_of
from launch.report.text import counted
from pcm.errors import RefusedError

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.local.runner import LocalRun
    from launch.plan import PlanItem
    from launch.site import Resources, Site
    from launch.store import Experiment, LaunchDir, Store

INTERVAL_S = 2.0
"""Between two looks of `--wait`."""


def site_of(name: str | None) -> "Site":
    """The site that the command line names; one without any peculiarity if it names none."""
    from launch.site import Site

    if name is None:
        return Site()
    from launch.cli.sites import find_site

    return find_site(name)


def launch_on_slurm(
    grid: "Grid", store: "Store", agreed: Sequence[str], *, site: str | None, err: bool
) -> "list[Experiment]":
    """Freeze a grid and hand over what is new of it.

    Args:
        agreed: ids of the experiments that somebody wants to have launched.
        site: a site's name or file.
        err: tell it on standard error.

    Returns:
        What was handed over, without what somebody else was faster with.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    from launch.slurm.launching import largest_array, submit

    cluster = site_of(site)
    with _others_left_out(store, agreed, err=err) as left:
        # What another launch submitted while this one waited may even have ended.
        work = {item.id for item in plan_of(grid, store, site).work}
        wanted = [each for each in left if each in work]
        if not wanted:
            return []
        # Asked before anything is written: a controller that is down leaves no trace.
        size = largest_array(cluster)
        store.freeze(grid, details={"executor": str(Executor.SLURM), "site": site})
        known = {experiment.id: experiment for experiment in store.experiments(grid.name)}
        experiments = [known[each] for each in wanted]
        submit(experiments, cluster, size, partial(typer.echo, err=err))
    return experiments


def resume_on_slurm(
    experiments: "Sequence[Experiment]",
    store: "Store",
    *,
    checkpoint: str | None = None,
) -> "list[Experiment]":
    """Hand over experiments that were launched before, each as its launch's site wants it.

    Args:
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.

    Returns:
        What was not handed over, since somebody else was faster.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    from launch.slurm.commands import require_slurm
    from launch.slurm.launching import largest_array, submit
    from launch.stop import uncancel

    require_slurm()
    with _sole_launcher(store) as queued:
        choice = choose(experiments, queued=queued)
        for experiment in choice.free:
            uncancel(store.root, experiment.id)
        for name in dict.fromkeys(each.launch.record.get("site") for each in choice.free):
            cluster = site_of(name)
            submit(
                [each for each in choice.free if each.launch.record.get("site") == name],
                cluster,
                largest_array(cluster),
                typer.echo,
                checkpoint=checkpoint,
            )
    return choice.held


def settle_earlier(store: "Store") -> None:
    """Find out what became of arrays whose launcher did not live to write it down.

    Raises:
        RefusedError: there are such arrays, and Slurm doesn't answer.
    """
    from launch.slurm.launching import settle_open, sole_launcher
    from launch.slurm.records import all_submissions

    if any(not each.is_settled for each in all_submissions(store.root)):
        with sole_launcher(store.root, partial(typer.echo, err=True)):
            settle_open(store.root)


@contextmanager
def _sole_launcher(store: "Store") -> Iterator[set[str]]:
    """What waits or runs in Slurm already; until the block ends, nobody adds anything."""
    from launch.slurm.launching import in_slurm, settle_open, sole_launcher

    with sole_launcher(store.root, partial(typer.echo, err=True)):
        settle_open(store.root)
        yield in_slurm(store.root)


@contextmanager
def _others_left_out(store: "Store", ids: Sequence[str], *, err: bool) -> Iterator[list[str]]:
    """The ids without those that wait or run already; until the block ends, nobody adds any."""
    with _sole_launcher(store) as taken:
        wanted = [each for each in ids if each not in taken]
        if len(wanted) < len(ids):
            left_out = counted(len(ids) - len(wanted), "experiment")
            typer.echo(f"{left_out} left out, in Slurm's queue already", err=err)
        yield wanted


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An experiment that is not frozen yet."""

    launch: "LaunchDir"
    id: str
    resources: "Resources"


def print_scripts(work: "Sequence[PlanItem]", sweep: str, root: Path, site: str | None) -> None:
    """What sbatch would get; the names of folders that aren't there yet are made up."""
    from launch.slurm.launching import DEFAULT_ARRAY_SIZE, largest_array, scripts
    from launch.store import LaunchDir, RunsRoot

    cluster = site_of(site)
    try:
        size = largest_array(cluster)
    except RefusedError as error:
        size = DEFAULT_ARRAY_SIZE
        typer.echo(f"note: arrays of at most {size:,} tasks, as {error.message}", err=True)
    launch = LaunchDir(RunsRoot(root).sweeps / sweep / "LAUNCH")
    candidates = [_Candidate(launch, item.id, item.resources) for item in work]
    for request, script in scripts(candidates, cluster, size):
        typer.echo(f"\n--- sbatch, {counted(len(request.ids), 'experiment')}:\n{script}")


def follow(experiments: "Sequence[Experiment]", *, err: bool = False) -> "LocalRun":
    """Show how experiments fare until all have ended; Ctrl-C ends the showing alone."""
    import time

    from launch.local.runner import LocalRun
    from launch.report.live import live_view
    from launch.report.status import Line
    from launch.report.table import console
    from launch.states.facts import read_statuses

    statuses = read_statuses(experiments)
    with live_view(console(err=err)) as show:
        try:
            while True:
                show([Line(each.id, each.name, statuses[each.id]) for each in experiments])
                if all(status.state.is_ended for status in statuses.values()):
                    return LocalRun(statuses, is_interrupted=False)
                time.sleep(INTERVAL_S)
                statuses = read_statuses(experiments)
        except KeyboardInterrupt:
            return LocalRun(statuses, is_interrupted=True)
