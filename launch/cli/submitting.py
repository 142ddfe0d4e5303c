"""Handing experiments to Slurm."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launch.cli.holding import choose
from launch.cli.planning import plan_of
from launch.executor import Executor
from launch.machine.garbage_collection import no_garbage_collection
from launch.text import counted
from pcm.errors import RefusedError

if TYPE_CHECKING:
    from launch.grid import Grid
    from launch.plan import PlanItem
    from launch.site import Resources, Site
    from launch.store import Experiment, LaunchDir, Store
    from launch.store.submissions import Submission
    from launch.submit.sbatch_errors import NoRoomError


@dataclass(frozen=True, slots=True)
class Launched:
    """What came of a launch.

    Attributes:
        experiments: those that are to run, without what somebody else was faster with.
        no_room: why Slurm hasn't got all of them yet; None if it has.
    """

    experiments: "list[Experiment]"
    no_room: "NoRoomError | None" = None


def site_of(name: str | None) -> "Site":
    """The site that the command line names; one without any peculiarity if it names none."""
    from launch.site import Site

    if name is None:
        return Site()
    from launch.cli.sites import find_site

    return find_site(name)


@no_garbage_collection()
def launch_on_slurm(
    grid: "Grid", store: "Store", agreed: Sequence[str], *, site: str | None, err: bool
) -> Launched:
    """Freeze a grid and hand over what is new of it.

    Args:
        agreed: ids of the experiments that somebody wants to have launched.
        site: a site's name or file.
        err: tell it on standard error.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    from launch.submit.sweep import largest_array, submit

    cluster = site_of(site)
    with _others_left_out(store, agreed, err=err) as (left, queued):
        # What another launch submitted while this one waited may even have ended.
        work = {item.id for item in plan_of(grid, store, site).work}
        wanted = [each for each in left if each in work]
        if not wanted:
            return Launched([])
        # Asked before anything is written: a controller that is down leaves no trace.
        size = largest_array(cluster)
        details = {"executor": str(Executor.SLURM), "site": site}
        store.freeze(grid, details=details | {"site_defaults": cluster.defaults.given()})
        known = {experiment.id: experiment for experiment in store.experiments(grid.name)}
        experiments = [known[each] for each in wanted]
        tell = partial(typer.echo, err=err)
        return Launched(experiments, submit(experiments, cluster, size, tell, queued=queued))


def submit_rest(
    experiments: "Sequence[Experiment]", store: "Store", *, site: str | None, err: bool
) -> "NoRoomError | None":
    """Hand over what Slurm had no room for, as far as it is not in its queue by now.

    Args:
        experiments: those of a launch that have neither started nor ended, as far as is known.

    Returns:
        That there is still no room for all of them.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    from launch.store.submissions import read_unsubmitted
    from launch.submit.sweep import largest_array, submit

    cluster = site_of(site)
    with _others_left_out(store, [each.id for each in experiments], err=err) as (left, queued):
        # Somebody may have launched them again, or cancelled them.
        waiting = read_unsubmitted(store.root)
        wanted = {each for each in left if each in waiting}
        wanted = {each for each in wanted if not store.root.cancelled(each).exists()}
        chosen = [each for each in experiments if each.id in wanted]
        tell = partial(typer.echo, err=err)
        return submit(chosen, cluster, largest_array(cluster), tell, queued=queued)


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
        RefusedError: Slurm doesn't take them all, or doesn't answer.
    """
    from launch.slurm.commands import require_slurm
    from launch.store.markers import uncancel
    from launch.submit.sweep import largest_array, submit

    require_slurm()
    with _sole_launcher(store) as queued:
        choice = choose(experiments, queued=queued)
        for experiment in choice.free:
            uncancel(store.root, experiment.id)
        for name in dict.fromkeys(each.launch.record.get("site") for each in choice.free):
            cluster = site_of(name)
            no_room = submit(
                [each for each in choice.free if each.launch.record.get("site") == name],
                cluster,
                largest_array(cluster),
                typer.echo,
                queued=queued,
                checkpoint=checkpoint,
            )
            if no_room is not None:
                raise later(no_room)
    return choice.held


def later(no_room: "NoRoomError", remedy: str = "submits the rest later") -> RefusedError:
    """What to tell a person who doesn't wait for room, with the command that goes on."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return RefusedError(no_room.message, f"`{command}` {remedy}")


def settle_earlier(store: "Store") -> None:
    """Find out what became of arrays whose launcher did not live to write it down.

    Raises:
        RefusedError: there are such arrays, and Slurm doesn't answer.
    """
    from launch.store.submissions import all_submissions
    from launch.submit.sweep import settle_open, sole_launcher

    if any(not each.is_settled for each in all_submissions(store.root)):
        with sole_launcher(store.root, partial(typer.echo, err=True)):
            settle_open(store.root)


@contextmanager
def _sole_launcher(store: "Store") -> "Iterator[dict[str, Submission]]":
    """What waits or runs in Slurm already; until the block ends, nobody adds anything."""
    from launch.submit.sweep import in_slurm, settle_open, sole_launcher

    with sole_launcher(store.root, partial(typer.echo, err=True)):
        settle_open(store.root)
        yield in_slurm(store.root)


@contextmanager
def _others_left_out(
    store: "Store", ids: Sequence[str], *, err: bool
) -> "Iterator[tuple[list[str], dict[str, Submission]]]":
    """Without those that wait or run already; until the block ends, nobody adds any.

    Yields:
        The other ids, and what waits or runs.
    """
    with _sole_launcher(store) as queued:
        wanted = [each for each in ids if each not in queued]
        if len(wanted) < len(ids):
            left_out = counted(len(ids) - len(wanted), "experiment")
            typer.echo(f"{left_out} left out, in Slurm's queue already", err=err)
        yield wanted, queued


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An experiment that is not frozen yet."""

    launch: "LaunchDir"
    id: str
    resources: "Resources"


def print_scripts(work: "Sequence[PlanItem]", sweep: str, root: Path, site: str | None) -> None:
    """What sbatch would get; the names of folders that aren't there yet are made up."""
    from launch.store import LaunchDir, RunsRoot
    from launch.submit.sweep import DEFAULT_ARRAY_SIZE, largest_array, scripts

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
