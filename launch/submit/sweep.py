"""Experiments to Slurm: all arrays of a launch, one launcher at a time under a runs root."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import filelock

from launch.site import Site
from launch.slurm.amounts import parse_settings
from launch.slurm.commands import DELAY_S, ask, cluster_option
from launch.store import Experiment, RunsRoot, writing
from launch.store.claims import Claims
from launch.store.submissions import Submission, SubmissionDir, all_submissions, read_unsubmitted
from launch.submit.array import find_job, no_answer, queue_with, script_of, settle
from launch.submit.requests import ArrayRequest, Asking, array_requests, parallel_limit
from launch.submit.sbatch_errors import NoRoomError
from launch.submit.throttling import arrays_before
from launch.submit.wave import Wave
from pcm.errors import RefusedError
from pcm.run_dir.trust import make_shared_folder

LAUNCHER_PATIENCE_S = 600.0
"""Another launcher may be waiting for a busy controller."""

DEFAULT_ARRAY_SIZE = 1001


@contextmanager
def sole_launcher(root: RunsRoot, tell: Callable[[str], None]) -> Iterator[None]:
    """Nobody else submits under this root until the block ends.

    Args:
        tell: called with what a person who waits wants to know.

    Raises:
        RefusedError: somebody else does, for very long.
    """
    with writing(root.path):
        make_shared_folder(root.path)
    lock = filelock.FileLock(root.path / "launching.lock")
    try:
        lock.acquire(timeout=DELAY_S)
    except filelock.Timeout:
        tell("waiting for another launch to be submitted ...")
        _acquire_late(lock, root)
    try:
        yield
    finally:
        lock.release()


def _acquire_late(lock: filelock.BaseFileLock, root: RunsRoot) -> None:
    try:
        lock.acquire(timeout=LAUNCHER_PATIENCE_S)
    except filelock.Timeout:
        raise RefusedError(
            f"another launch is being submitted from {root.path}",
            hint="try again when it is done",
        ) from None


def open_arrays(root: RunsRoot) -> list[Submission]:
    """Our arrays whose launcher did not live to write down what became of them.

    A colleague's are the colleague's to settle: a site may hide their jobs from us.
    """
    arrays = (each for each in all_submissions(root) if not each.is_settled)
    # A folder in the place of an answer is told as damaged, and must not be in the others' way.
    ours = (each for each in arrays if each.owner == os.getuid())
    return [each for each in ours if not each.files.outcome.is_dir()]


def settle_open(root: RunsRoot) -> None:
    """Find out what became of arrays whose launcher did not live to write it down.

    Only for the sole launcher: another one's may be on its way.

    Raises:
        RefusedError: there are such arrays, and Slurm doesn't answer.
    """
    unsettled = open_arrays(root)
    if not unsettled:
        return
    queue = queue_with(unsettled)
    for submission in unsettled:
        if not queue.silent.isdisjoint(submission.clusters):
            raise no_answer(queue.trouble)
        job, cluster = find_job(submission, queue)
        settle(submission.files, job, "its launcher was interrupted", cluster=cluster)


def in_slurm(root: RunsRoot) -> dict[str, Submission]:
    """The experiments that wait or run in arrays of this root, by their ids, and the arrays.

    So may all those on a cluster that gives no answer.

    Raises:
        RefusedError: Slurm doesn't answer.
    """
    submissions = list(all_submissions(root))
    taken = [each for each in submissions if each.job_id is not None or not each.is_settled]
    by_job = {each.job_id: each for each in taken}
    by_token = {each.token: each for each in taken}
    queue = queue_with(taken)
    silent = [each for each in taken if not queue.silent.isdisjoint(each.clusters)]
    found = {experiment_id: each for each in silent for experiment_id in each.array}
    packed: dict[str, Submission] = {}
    for task in queue.tasks.values():
        job, _, index = task.id.partition("_")
        # Slurm may have given out the same id twice; tokens are unique.
        submission = by_job.get(job) if task.token is None else by_token.get(task.token)
        if not index or submission is None or task.is_ended:
            continue
        if submission.pack is not None:
            packed[submission.token] = submission
            continue
        experiment_id = submission.array[int(index)]
        former = found.get(experiment_id)
        # A job that ends and the one that takes its place may both be there.
        if former is None or former.time <= submission.time:
            found[experiment_id] = submission
    for submission in packed.values():
        # Any of its allocations may draw what is not over.
        left = set(submission.array) - Claims(submission).over()
        found |= dict.fromkeys(left, submission)
    return found


def submit(
    experiments: Sequence[Experiment],
    site: Site,
    max_array_size: int,
    tell: Callable[[str], None],
    *,
    queued: Mapping[str, Submission] | None = None,
    checkpoint: str | None = None,
) -> NoRoomError | None:
    """Hand experiments over, as few arrays as the site allows, as far as Slurm has room.

    Args:
        max_array_size: see `largest_array`.
        tell: called with what a person who waits wants to know, e.g. the id of each array.
        queued: what is in Slurm already, see `in_slurm`.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.

    Returns:
        None if Slurm has taken all of them; else that it has no room for the rest.

    Raises:
        RefusedError: Slurm doesn't take them; it says how many it has taken before.
    """
    requests = array_requests(experiments, site, max_array_size)
    tasks, limit = sum(each.tasks for each in requests), parallel_limit(experiments, site)
    earlier = arrays_before(tasks, limit, queued or {}, {each.sweep for each in experiments})
    is_again = _is_again(experiments)
    wave = Wave(experiments, site, tell, checkpoint=checkpoint, is_again=is_again)
    return wave.submit(requests, earlier)


def _is_again(experiments: Sequence[Experiment]) -> bool:
    """Whether there was no room for some of them before."""
    ids = {each.id for each in experiments}
    sweeps = {(each.launch.root, each.sweep) for each in experiments}
    return any(
        not ids.isdisjoint(read_unsubmitted(RunsRoot(root), sweep)) for root, sweep in sweeps
    )


def scripts(
    asking: Sequence[Asking], site: Site, max_array_size: int
) -> list[tuple[ArrayRequest, str]]:
    """What sbatch would get, with each script's request."""
    requests = array_requests(asking, site, max_array_size)
    return [(each, script_of(_imagined(each), each, site, _after(each))) for each in requests]


def largest_array(site: Site) -> int:
    """How many tasks an array may have: the site's file says so, else Slurm.

    Where there is no Slurm, as many as with Slurm's own defaults.

    Raises:
        RefusedError: Slurm doesn't answer, or has arrays turned off.
    """
    if site.max_array_size is not None:
        return site.max_array_size
    if shutil.which("scontrol") is None:
        return DEFAULT_ARRAY_SIZE
    try:
        settings = parse_settings(ask("scontrol", *_cluster_of(site), "show", "config"))
    except RefusedError as error:
        raise no_answer(error.message) from None
    size = int(settings.get("MaxArraySize") or DEFAULT_ARRAY_SIZE)
    if size == 0:
        raise RefusedError(
            "this Slurm has job arrays turned off (MaxArraySize=0)", hint="ask its administrators"
        )
    return size


def _cluster_of(site: Site) -> list[str]:
    """The only cluster that the site's jobs go to, where it names one."""
    clusters = str(site.sbatch.get("clusters") or "").split(",")
    return cluster_option(clusters[0] if len(clusters) == 1 and clusters[0] else None)


def _imagined(request: ArrayRequest) -> SubmissionDir:
    return SubmissionDir(request.launch.submissions / "TOKEN")


def _after(request: ArrayRequest) -> str | None:
    return None if request.after is None else f"JOB_ID_OF_ARRAY_{request.after + 1}"
