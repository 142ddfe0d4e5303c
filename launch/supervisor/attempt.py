"""Opening an attempt: rank 0 makes it under the experiment's lock, the other ranks find it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import filelock

from launch.container import Container, training_arguments, training_command, training_python
from launch.damage import required
from launch.machine.processes import Process
from launch.site import Mount
from launch.status.holder import whereabouts
from launch.store import LaunchDir, RunsRoot
from launch.store.installed import code_digest
from launch.store.leftovers import remove_leftovers_of_run
from launch.store.markers import request_stop
from launch.store.records import is_code_edited, read_attempt
from launch.store.refusals import HeldError, read_refusal
from launch.store.run_dirs import create_run_dir
from launch.store.trust import require_trusted_launch, require_trusted_run_dir
from launch.supervisor.job import Job
from launch.supervisor.node_container import (
    inside_command,
    node_container,
    require_on_node,
    with_sure_mount,
)
from pcm.errors import RefusedError
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.records import ExperimentRecord
from pcm.run_dir.trust import make_folder, open_private
from pcm.run_dir.typed_json import read, write
from pcm.secret_values import scrub

LOCK_PATIENCE_S = 15.0
"""The former attempt's supervisor may still be waiting for its other ranks."""

OTHER_CODE = "the code of pcm was edited after the launch; this attempt runs it as it is now"

TAKE_OVER_PATIENCE_S = 300.0
"""The same job's former attempt may still write a checkpoint on a node that Slurm gave up; and
a file server may take a while to notice that a node is dead."""

JOIN_PATIENCE_S = 600.0
"""Nodes of one job may start minutes apart."""

JOIN_INTERVAL_S = 0.1


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that this rank takes part in.

    Attributes:
        launch: that the experiment is frozen in.
        arguments: what training is told.
        command: words of the training command on rank 0's node.
        threads: of each rank.
        gpus: that the job has on each node, and that training must see.
        container: the image that training runs in; None without one.
    """

    launch: LaunchDir
    run_dir: RunDir
    files: AttemptDir
    arguments: list[str]
    command: list[str]
    threads: int
    gpus: int = 0
    container: Container | None = None

    def tell(self, rank: int, text: str) -> None:
        """Add a line of the supervisor's to a rank's log."""
        with open(self.files.log(rank), "a", encoding="utf-8", opener=open_private) as log:
            log.write(scrub(f"pcm: {text}\n"))

    def warn(self, text: str) -> None:
        """Tell what a person should know before it matters, in the log and to `pcm why`."""
        self.tell(0, f"warning: {text}")
        write(self.files.attempt, replace(read_attempt(self.files), warning=text))


@contextmanager
def lead_attempt(launch: LaunchDir, experiment_id: str, job: Job) -> Iterator[Attempt]:
    """A new attempt, with the experiment locked until the block ends; for rank 0.

    Raises:
        NotFoundError: the launch has no such experiment.
        RefusedError: it is running, done, cancelled, or made for another number of ranks; or
            others could have changed what would run.
    """
    require_trusted_launch(launch, job.token)
    run_dir = create_run_dir(launch.path, experiment_id)
    require_trusted_run_dir(run_dir)
    _check_world_size(run_dir, job)
    marker = RunsRoot(launch.root).cancelled(experiment_id)
    with _locked(run_dir, job):
        if marker.exists():
            raise RefusedError(
                f"experiment {experiment_id} was cancelled",
                hint=f"pcm resume {experiment_id} brings it back",
            )
        _check_not_done(run_dir)
        remove_leftovers_of_run(run_dir)
        attempt = _make(launch, run_dir, job)
        _note_code(launch, attempt)
        # One who cancels writes the marker first and looks for an attempt then: no gap.
        if marker.exists():
            request_stop(attempt.files, by="pcm cancel", reason="cancel")
        yield attempt


def join_attempt(
    launch: LaunchDir, experiment_id: str, job: Job, is_given_up: Callable[[], bool]
) -> Attempt:
    """The attempt that rank 0 of the same job makes; for the other ranks.

    Args:
        is_given_up: asked while waiting: whether to wait for no more than the time that
            rank 0 may need to make up its mind.

    Raises:
        RefusedError: rank 0 made none.
    """
    run_dir = RunsRoot(launch.root).run_dir(experiment_id)
    deadline = time.monotonic() + JOIN_PATIENCE_S
    while time.monotonic() < deadline:
        for files in run_dir.attempts()[-1:]:
            record = read(AttemptRecord, files.attempt)
            if isinstance(record, AttemptRecord) and record.key == job.key:
                return _joined(launch, run_dir, files, record, job)
        if (refusal := read_refusal(launch, job.key)) is not None:
            raise RefusedError(refusal.message)
        if is_given_up():
            deadline = min(deadline, time.monotonic() + LOCK_PATIENCE_S + 5.0)
        time.sleep(JOIN_INTERVAL_S)
    raise RefusedError(f"rank {job.rank} of experiment {experiment_id} found no attempt to join")


def _joined(
    launch: LaunchDir, run_dir: RunDir, files: AttemptDir, record: AttemptRecord, job: Job
) -> Attempt:
    """The attempt that rank 0 wrote down, on the node of another rank."""
    require_trusted_run_dir(run_dir)
    container = node_container(launch, run_dir, job)
    if container is not None and record.mount is not None:
        container = replace(container, mount=Mount(record.mount))
    return Attempt(
        launch,
        run_dir,
        files,
        record.arguments or [],
        record.command or [],
        record.threads or 1,
        record.gpus or 0,
        container,
    )


def _check_world_size(run_dir: RunDir, job: Job) -> None:
    """Another number of ranks would be another experiment."""
    wanted = required(read(ExperimentRecord, run_dir.experiment), run_dir.experiment).world_size
    if wanted != job.world_size:
        raise RefusedError(
            f"experiment {run_dir.path.name} is made for {wanted} ranks, "
            f"and this job has {job.world_size}",
            hint="launch the grid again with the number of ranks that you want",
        )


def _check_not_done(run_dir: RunDir) -> None:
    """Another launcher may have been faster."""
    if any(files.finished.exists() for files in run_dir.attempts()[-1:]):
        raise RefusedError(f"experiment {run_dir.path.name} is done already")


@contextmanager
def _locked(run_dir: RunDir, job: Job) -> Iterator[None]:
    lock = filelock.FileLock(run_dir.lock)
    former = _former_run(run_dir, job)
    if former is not None:
        _stop(former)
    patience_s = LOCK_PATIENCE_S if former is None else TAKE_OVER_PATIENCE_S
    try:
        lock.acquire(timeout=patience_s)
    except filelock.Timeout:
        raise HeldError(
            f"experiment {run_dir.path.name} is running already{whereabouts(run_dir)}",
            hint=f"pcm status {run_dir.path.name}",
        ) from None
    try:
        yield
    finally:
        lock.release()


def _former_run(run_dir: RunDir, job: Job) -> AttemptDir | None:
    """The attempt that the same job made when it ran before; None if the newest isn't one.

    Something of it may be left: Slurm gives up a node that it can't reach, though processes
    may go on there; and a controller that was killed may have forgotten that it had started
    the job.
    """
    for files in run_dir.attempts()[-1:]:
        record = read_attempt(files)
        is_same_job = (record.executor, record.job_id) == ("slurm", job.id)
        if job.executor == "slurm" and is_same_job and record.key != job.key:
            return files
    return None


def _stop(former: AttemptDir) -> None:
    """Ask what is left of a former run for its end, unless that is known."""
    if not any(end.exists() for end in (former.finished, former.stopped, former.failed)):
        request_stop(former, by="the job's next attempt", reason="interrupt")


def _make(launch: LaunchDir, run_dir: RunDir, job: Job) -> Attempt:
    former = run_dir.attempts()
    number = former[-1].number + 1 if former else 1
    arguments = training_arguments(run_dir.path, number, _checkpoint(former, job))
    container = node_container(launch, run_dir, job)
    if container is None:
        command = training_command(training_python(os.environ), arguments)
    else:
        require_on_node(container)
        container = with_sure_mount(container, job)
        command = inside_command(container, run_dir, arguments)
    files, threads = run_dir.attempt(number), _threads(former, job)
    gpus = gpus_on_node(launch, run_dir, job, container)
    attempt = Attempt(launch, run_dir, files, arguments, command, threads, gpus, container)
    make_folder(attempt.files.path)
    # The code of an image or a snapshot is what it was, whatever somebody edits out here.
    is_out_here = container is None and not launch.ships_code
    record = _record(attempt, job, code_digest() if is_out_here else None)
    write(attempt.files.attempt, record)
    return attempt


def _note_code(launch: LaunchDir, attempt: Attempt) -> None:
    """Say so if this isn't the code that was launched: somebody edited it while the job waited."""
    if is_code_edited(launch, attempt.files):
        attempt.tell(0, f"warning: {OTHER_CODE}")


def _checkpoint(former: list[AttemptDir], job: Job) -> str | None:
    """The one that the job was told to go on from, unless it has gone on from there already."""
    mine = (each for each in former if read_attempt(each).job_id == job.id)
    return None if any(each.progress.exists() for each in mine) else job.checkpoint


def _threads(former: list[AttemptDir], job: Job) -> int:
    """As many as in the first attempt: sums over another number of threads round otherwise."""
    first = read_attempt(former[0]) if former else AttemptRecord()
    return job.cores if first.threads is None else first.threads


def gpus_on_node(launch: LaunchDir, run_dir: RunDir, job: Job, container: Container | None) -> int:
    """GPUs that the job has on each node; none where the image is to have none of them."""
    if container is not None and container.nv is False:
        return 0
    if job.executor != "slurm":
        # A machine without GPUs trains on CPUs, which the plan has told.
        return len(job.devices.split(",")) if job.devices else 0
    point = launch.point_record(run_dir.path.name) or {}
    return int(point.get("resources", {}).get("gpus_per_node", 0))


def _record(attempt: Attempt, job: Job, digest: str | None) -> AttemptRecord:
    return AttemptRecord(
        number=attempt.files.number,
        key=job.key,
        executor=job.executor,
        job_id=job.id,
        token=job.token,
        **Process.current().record(),
        started=time.time(),
        world_size=job.world_size,
        threads=attempt.threads,
        gpus=attempt.gpus,
        arguments=attempt.arguments,
        command=attempt.command,
        mount=None if attempt.container is None else str(attempt.container.mount),
        code_digest=digest,
        is_packed=job.is_packed or None,
    )
