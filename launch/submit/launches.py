"""Launches and resumptions on Slurm: from frozen or wished-for experiments to arrays."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from launch.classes import require_classes
from launch.executor import Executor
from launch.grid import Grid
from launch.plan import Plan, PlanItem, make_plan
from launch.site import Resources, Site, site_of
from launch.site.frozen_site import recorded_site, site_record
from launch.slurm.commands import require_slurm
from launch.status.looking import lines_of
from launch.status.state import State
from launch.store import Experiment, LaunchDir, RunsRoot, Store
from launch.store.markers import uncancel
from launch.store.started import cancelled_ids, run_folders
from launch.store.submissions import Submission, read_unsubmitted
from launch.submit.requests import ArrayRequest
from launch.submit.resumable import Choice, choose
from launch.submit.sbatch_errors import NoRoomError
from launch.submit.sweep import (
    DEFAULT_ARRAY_SIZE,
    in_slurm,
    largest_array,
    open_arrays,
    scripts,
    settle_open,
    sole_launcher,
    submit,
)
from launch.telling import Tell
from launch.text import counted
from pcm.errors import RefusedError, UsageError
from pcm.garbage_collection import no_garbage_collection

OWED = (State.STOPPED, State.FAILED)
"""Where an experiment may stand that was to come back."""


@dataclass(frozen=True, slots=True)
class Launched:
    """What came of a launch.

    Attributes:
        experiments: those that are to run, without what somebody else was faster with.
        no_room: why Slurm hasn't got all of them yet; None if it has.
    """

    experiments: list[Experiment]
    no_room: NoRoomError | None = None


def plan_of(grid: Grid, store: Store, site: Site, tell: Tell) -> Plan:
    """What launching the grid would do now.

    Args:
        tell: called with what is missing where Slurm can't be asked.

    Raises:
        ConfigError: the site can't be asked for what the grid asks for, or a class isn't there.
    """
    lines = lines_of(_known(grid, store), tell)
    plan = make_plan(grid.points, {line.id: line.state for line in lines})
    require_classes(grid, {item.id for item in plan.work}, site)
    asked = {each: site.asked(each) for each in {item.resources for item in plan.items}}
    items = (replace(item, resources=asked[item.resources]) for item in plan.items)
    return replace(plan, items=tuple(items))


def _known(grid: Grid, store: Store) -> list[Experiment]:
    """The grid's points that were launched before.

    What has run, or was cancelled, is one of them even if its line is damaged by now.
    """
    ids = {point.id for point in grid.points}
    known = [each for each in store.experiments() if each.id in ids]
    ids -= {each.id for each in known}
    ids &= run_folders(store.root).keys() | cancelled_ids(store.root)
    launch = LaunchDir(store.root.sweeps / grid.name / "LAUNCH")
    hidden = [point for point in grid.points if point.id in ids] if ids else []
    return known + [Experiment(launch, {"id": each.id, "name": each.name}) for each in hidden]


@no_garbage_collection()
def launch_on_slurm(
    grid: Grid, store: Store, agreed: Sequence[str], site: str | None, tell: Tell
) -> Launched:
    """Freeze a grid and hand over what is new of it.

    Args:
        agreed: ids of the experiments that somebody wants to have launched.
        site: a site's name or file.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    cluster = site_of(site)
    with _others_left_out(store, agreed, tell) as (left, queued):
        # What another launch submitted while this one waited may even have ended.
        work = {item.id for item in plan_of(grid, store, cluster, tell).work}
        wanted = [each for each in left if each in work]
        if not wanted:
            return Launched([])
        # Asked before anything is written: a controller that is down leaves no trace.
        size = largest_array(cluster)
        store.freeze(grid, details=_details(site, cluster))
        known = {experiment.id: experiment for experiment in store.experiments(grid.name)}
        experiments = [known[each] for each in wanted]
        return Launched(experiments, submit(experiments, cluster, size, tell, queued=queued))


def _details(name: str | None, site: Site) -> dict[str, Any]:
    """What a launch on Slurm remembers besides its grid."""
    return {
        "executor": str(Executor.SLURM),
        "site": name,
        "site_defaults": site.defaults.given(),
        "site_record": site_record(site),
    }


def submit_rest(
    experiments: Sequence[Experiment], store: Store, site: str | None, tell: Tell
) -> NoRoomError | None:
    """Hand over what Slurm had no room for, as far as it is not in its queue by now.

    Args:
        experiments: those of a launch that have neither started nor ended, as far as is known.
        site: a site's name or file.

    Returns:
        That there is still no room for all of them.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    cluster = site_of(site)
    with _others_left_out(store, [each.id for each in experiments], tell) as (left, queued):
        # Somebody may have launched them again, or cancelled them.
        waiting = read_unsubmitted(store.root)
        wanted = {each for each in left if each in waiting}
        wanted = {each for each in wanted if not store.root.cancelled(each).exists()}
        chosen = [each for each in experiments if each.id in wanted]
        return submit(chosen, cluster, largest_array(cluster), tell, queued=queued)


def submit_owed(
    experiments: Sequence[Experiment], store: Store, site: str | None, tell: Tell
) -> NoRoomError | None:
    """Hand over again what was to come back and couldn't be sent back.

    What somebody has cancelled meanwhile, or gone on with, is left alone.

    Args:
        site: a site's name or file.

    Returns:
        That there is no room for all of them.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
    """
    cluster = site_of(site)
    with _sole_launcher(store, tell) as queued:
        free = choose(experiments, tell, OWED, queued=queued).free
        if not free:
            return None
        size = largest_array(cluster)
        tell(f"{counted(len(free), 'experiment')} could not be sent back, submitted again")
        return submit(free, cluster, size, tell, queued=queued)


@dataclass(frozen=True, slots=True)
class Resumed:
    """What came of resuming.

    Attributes:
        choice: what was free to be resumed, and what was not by then.
        no_room: why Slurm hasn't got all of them yet; None if it has.
    """

    choice: Choice
    no_room: NoRoomError | None = None


def resume_on_slurm(
    experiments: Sequence[Experiment],
    store: Store,
    tell: Tell,
    *,
    site: str | None,
    checkpoint: str | None,
) -> Resumed:
    """Hand over experiments that were launched before, each as its launch's site wants it.

    Args:
        site: a site's name or file for all of them; None takes the one of their launch, as it
            was then.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.

    Raises:
        RefusedError: Slurm doesn't take them, or doesn't answer.
        UsageError: an earlier version has kept no more of a launch's site than a name, and
            there is no site of that name.
    """
    require_slurm()
    with _sole_launcher(store, tell) as queued:
        choice = choose(experiments, tell, queued=queued)
        by_site = _by_site(choice.free, site)
        for experiment in choice.free:
            uncancel(store.root, experiment.id)
        for cluster, group in by_site:
            size = largest_array(cluster)
            no_room = submit(group, cluster, size, tell, queued=queued, checkpoint=checkpoint)
            if no_room is not None:
                return Resumed(choice, no_room)
    return Resumed(choice)


def _by_site(
    experiments: Sequence[Experiment], name: str | None
) -> list[tuple[Site, list[Experiment]]]:
    """Experiments that go to the same site, together."""
    if name is not None:
        return [(site_of(name), list(experiments))]
    groups: dict[str, tuple[Site, list[Experiment]]] = {}
    sites = {launch: _site_of(launch) for launch in {each.launch for each in experiments}}
    for each in experiments:
        site = sites[each.launch]
        key = json.dumps(site_record(site), sort_keys=True)
        groups.setdefault(key, (site, []))[1].append(each)
    return list(groups.values())


def _site_of(launch: LaunchDir) -> Site:
    """The site as it was at a launch."""
    record = launch.record.get("site_record")
    if record is not None:
        return recorded_site(record)
    try:
        return site_of(launch.record.get("site"))
    except UsageError as error:
        raise UsageError(error.message, "say which one: --site takes a name or a file") from error


def settle_earlier(store: Store, tell: Tell) -> None:
    """Find out what became of arrays whose launcher did not live to write it down.

    Raises:
        RefusedError: there are such arrays, and Slurm doesn't answer.
    """
    if open_arrays(store.root):
        with sole_launcher(store.root, tell):
            settle_open(store.root)


@contextmanager
def _sole_launcher(store: Store, tell: Tell) -> Iterator[dict[str, Submission]]:
    """What waits or runs in Slurm already; until the block ends, nobody adds anything."""
    with sole_launcher(store.root, tell):
        settle_open(store.root)
        yield in_slurm(store.root)


@contextmanager
def _others_left_out(
    store: Store, ids: Sequence[str], tell: Tell
) -> Iterator[tuple[list[str], dict[str, Submission]]]:
    """Without those that wait or run already; until the block ends, nobody adds any.

    Yields:
        The other ids, and what waits or runs.
    """
    with _sole_launcher(store, tell) as queued:
        wanted = [each for each in ids if each not in queued]
        if len(wanted) < len(ids):
            left_out = counted(len(ids) - len(wanted), "experiment")
            tell(f"{left_out} left out, in Slurm's queue already")
        yield wanted, queued


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An experiment that is not frozen yet."""

    launch: LaunchDir
    id: str
    resources: Resources


def imagined_scripts(
    work: Sequence[PlanItem], sweep: str, root: Path, site: Site, tell: Tell
) -> list[tuple[ArrayRequest, str]]:
    """What sbatch would get; the names of folders that aren't there yet are made up."""
    try:
        size = largest_array(site)
    except RefusedError as error:
        size = DEFAULT_ARRAY_SIZE
        tell(f"note: arrays of at most {size:,} tasks, as {error.message}")
    launch = LaunchDir(RunsRoot(root).sweeps / sweep / "LAUNCH")
    candidates = [_Candidate(launch, item.id, item.resources) for item in work]
    return scripts(candidates, site, size)
