"""Handing experiments to Slurm, and following them for those who want to wait."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launch.cli.options import Executor
from launch.report.text import counted

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.local import LocalRun
    from launch.plan import PlanItem
    from launch.site import Resources, Site
    from launch.slurm.records import Submission
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
    grid: "Grid", store: "Store", agreed: Iterable[str], *, site: str | None, err: bool
) -> "list[Experiment]":
    """Freeze a grid and hand over what is new of it.

    Args:
        agreed: ids of the experiments that somebody wants to have launched.
        site: a site's name or file.
        err: tell it on standard error.

    Returns:
        What was handed over: nothing, if somebody else was faster.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    from launch.slurm.launching import in_slurm, largest_array, settle_open, sole_launcher, submit

    cluster = site_of(site)
    with sole_launcher(store.root):
        settle_open(store.root)
        taken = in_slurm(store.root)
        wanted = [each for each in agreed if each not in taken]
        if not wanted:
            typer.echo("All of it waits or runs already.", err=err)
            return []
        size = largest_array(cluster)
        store.freeze(grid, details={"executor": str(Executor.SLURM), "site": site})
        known = {experiment.id: experiment for experiment in store.experiments(grid.name)}
        experiments = [known[each] for each in wanted]
        submit(experiments, cluster, size, lambda array: _tell(array, err=err))
    return experiments


def _tell(array: "Submission", *, err: bool) -> None:
    typer.echo(f"job {array.job_id}: {counted(len(array.array), 'experiment')}", err=err)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An experiment that is not frozen yet."""

    launch: "LaunchDir"
    id: str
    resources: "Resources"


def print_scripts(work: "Sequence[PlanItem]", sweep: str, root: Path, site: str | None) -> None:
    """What sbatch would get; the names of folders that aren't there yet are made up."""
    from launch.slurm.launching import largest_array, scripts
    from launch.store import LaunchDir, RunsRoot

    cluster = site_of(site)
    launch = LaunchDir(RunsRoot(root).sweeps / sweep / "LAUNCH")
    candidates = [_Candidate(launch, item.id, item.resources) for item in work]
    for request, script in scripts(candidates, cluster, largest_array(cluster)):
        typer.echo(f"\n--- sbatch, {counted(len(request.ids), 'experiment')}:\n{script}")


def follow(experiments: "Sequence[Experiment]", *, err: bool = False) -> "LocalRun":
    """Show how experiments fare until all have ended; Ctrl-C ends the showing alone."""
    import time

    from launch.facts import read_statuses
    from launch.local import LocalRun
    from launch.report.live import live_view
    from launch.report.status import Line
    from launch.report.table import console

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
