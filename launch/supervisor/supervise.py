"""The payload of every job: one rank of one attempt of one experiment."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from launch.container import with_code_first
from launch.container.staging import staged
from launch.machine.signals import SCHEDULER, SignalFlag
from launch.notify.occasions import notice_end
from launch.slurm.controller import read_job
from launch.status.derive import derive_state
from launch.status.facts import attempt_facts
from launch.status.state import State
from launch.store import LaunchDir
from launch.store.markers import request_stop
from launch.store.refusals import recorded_refusal
from launch.supervisor.attempt import Attempt, join_attempt, lead_attempt
from launch.supervisor.batch_shell import signal_to_shell
from launch.supervisor.ending import check_losses, is_wanted_back, obstacle, settle
from launch.supervisor.forked import ColdError, Waiting
from launch.supervisor.fostered import ask_for_training, orders_inside
from launch.supervisor.heartbeat import INTERVAL_S, LOOKS, Watch
from launch.supervisor.job import Job
from launch.supervisor.node_container import inside_command, inside_environment, require_on_node
from launch.supervisor.outcomes import fail, is_gone, record_silence
from launch.supervisor.rank import GRACE_S, Rank
from launch.supervisor.sending_back import bring_back
from launch.supervisor.slurm_job import is_slurm_task, slurm_job
from launch.supervisor.time_limit import TimeLimit
from launch.supervisor.training import Child, TrainingProcess
from launch.supervisor.training_environment import training_environment
from pcm.errors import PcmError, RefusedError

PEERS_PATIENCE_S = GRACE_S + 3.0
"""Ranks of an attempt end at about the same time, or are killed after the grace."""


def supervise(
    launch_dir: str, experiment_id: str, checkpoint: str | None = None, token: str | None = None
) -> str:
    """Run one rank of an attempt to its end, as a task of a submitit job.

    Args:
        launch_dir: the frozen launch, see `launch.store.LaunchDir`.
        checkpoint: of a job in Slurm: the one that somebody wants to go on from; None takes
            the newest.
        token: of a job in Slurm: the array that it came with.

    Returns:
        What became of the attempt, as far as this rank can tell: a `State`.

    Raises:
        PcmError: there can't be an attempt, e.g. since another one is running.
    """
    launch = LaunchDir(Path(launch_dir))
    with SignalFlag(SCHEDULER) as signals:
        job = slurm_job(checkpoint, token) if is_slurm_task() else Job.current()
        attempt = take_part(launch, experiment_id, job, signals)
    return conclude(attempt)


def take_part(
    launch: LaunchDir,
    experiment_id: str,
    job: Job,
    signals: SignalFlag,
    waiting: Waiting | None = None,
) -> Attempt:
    """Run one rank of an attempt to its end.

    Args:
        waiting: its training process, if it is there already.
    """
    role = lead if job.rank == 0 else follow
    return role(launch, experiment_id, job, signals, waiting)


def lead(
    launch: LaunchDir,
    experiment_id: str,
    job: Job,
    signals: SignalFlag,
    waiting: Waiting | None = None,
) -> Attempt:
    """Rank 0: make the attempt, run the rank, decide what becomes of the job."""
    with ExitStack() as stack:
        with recorded_refusal(launch, job.key):
            check_losses(launch, experiment_id, job)
            attempt = stack.enter_context(lead_attempt(launch, experiment_id, job))
        limit = _meet_slurm(attempt, job) if job.has_own_job else None
        run_rank(attempt, job, signals, limit, waiting)
        wait_for_outcomes(attempt, job)
        verdict = settle(launch, attempt, job) if job.executor == "slurm" else None
    if verdict is not None and verdict.is_ours and job.has_own_job:
        bring_back(attempt, job, verdict)
    _notify(attempt)
    return attempt


def _notify(attempt: Attempt) -> None:
    """Tell those who want to know of failures and ends; that this fails changes nothing else."""
    try:
        notice_end(attempt.launch, attempt.run_dir.path.name, partial(attempt.tell, 0))
    except (OSError, PcmError) as error:
        with suppress(OSError):
            attempt.tell(0, f"warning: nobody could be told how things stand: {error}")


def _meet_slurm(attempt: Attempt, job: Job) -> TimeLimit:
    """As an attempt begins: what was missed until now, what will be in its way, and its end."""
    facts = read_job(job.id)
    if is_wanted_back(job, facts):
        request_stop(attempt.files, by="Slurm", reason="interrupt")
    elif (signal := signal_to_shell(attempt.launch, job)) is not None:
        request_stop(attempt.files, by=signal, reason="interrupt")
    if (text := obstacle(facts)) is not None:
        attempt.warn(text)
    return TimeLimit(job.id, facts)


def follow(
    launch: LaunchDir,
    experiment_id: str,
    job: Job,
    signals: SignalFlag,
    waiting: Waiting | None = None,
) -> Attempt:
    """Any other rank: find the attempt, run the rank."""

    def is_given_up() -> bool:
        return bool(signals.received) or job.is_orphaned

    attempt = join_attempt(launch, experiment_id, job, is_given_up)
    run_rank(attempt, job, signals, waiting=waiting)
    return attempt


def run_rank(
    attempt: Attempt,
    job: Job,
    signals: SignalFlag,
    limit: TimeLimit | None = None,
    waiting: Waiting | None = None,
) -> None:
    """Start the training process of one rank and stay with it.

    Args:
        limit: of the job's time, for the one rank that looks after it.
        waiting: one that is there already; None to start one.
    """
    try:
        command, environment = _command_here(attempt, job, signals)
        log = attempt.files.log(job.rank)
        forked = _forked(waiting, attempt, job, environment)
        is_inside = attempt.container is not None and forked is None
        training = TrainingProcess(command, environment, log, is_inside=is_inside, forked=forked)
        try:
            Rank(attempt, job, signals, limit).run(training)
        finally:
            training.kill()
    except (OSError, RefusedError) as error:
        with suppress(OSError):
            fail(attempt.files, job.rank, message=f"its supervisor: {error}")
        raise


def _forked(
    waiting: Waiting | None, attempt: Attempt, job: Job, environment: dict[str, str]
) -> Child | None:
    """A forked process, with its orders; None, which is told, where it must be a fresh one."""
    cold = job.cold
    if attempt.container is not None and job.nursery is not None:
        try:
            orders = orders_inside(attempt, job.rank, environment)
            return ask_for_training(job.nursery, orders)
        except ColdError as error:
            cold = str(error)
    elif waiting is not None:
        cold = waiting.objection(environment)
        if cold is not None:
            waiting.dismiss()
        elif waiting.begin(attempt.arguments, environment, attempt.files.log(job.rank)):
            return waiting
        else:
            cold = "the process that waited for it is gone"
    if cold is not None:
        attempt.tell(job.rank, f"training starts afresh: {cold}")
    return None


def _command_here(
    attempt: Attempt, job: Job, signals: SignalFlag
) -> tuple[list[str], dict[str, str]]:
    """Words and variables of the training process of one rank, on its own node."""

    def is_given_up() -> bool:
        ends = (attempt.files.stop, attempt.files.failed)
        return bool(signals.received) or job.is_orphaned or any(end.exists() for end in ends)

    environment = training_environment(os.environ, job, attempt.threads, attempt.gpus)
    container = attempt.container
    if container is not None:
        require_on_node(container)
        container = staged(container, partial(attempt.tell, job.rank), is_given_up)
        command = inside_command(container, attempt.run_dir, attempt.arguments)
        return command, inside_environment(container, environment)
    if attempt.launch.ships_code:
        environment = with_code_first(environment, attempt.launch.snapshot)
    return attempt.command, environment


def wait_for_outcomes(attempt: Attempt, job: Job) -> None:
    """Hold the experiment until its other ranks have ended too."""
    deadline = time.monotonic() + PEERS_PATIENCE_S
    files, missing = attempt.files, set(range(job.world_size))
    while missing and time.monotonic() < deadline:
        missing = {r for r in missing if not files.outcome(r).exists() and not is_gone(files, r)}
        if missing:
            time.sleep(0.1)
    if files.failed.exists() and job.local_world_size < job.world_size:
        listen([Watch(files, rank) for rank in missing])


def listen(watches: Sequence[Watch]) -> None:
    """Find out which ranks have fallen silent, and write that down.

    Where a node is gone, the others' complaints about lost connections may be there sooner.
    """
    for _ in range(LOOKS + 1):
        for each in watches:
            if each.is_silent():
                record_silence(each.files, each.rank)
        if all(each.has_ended for each in watches):
            return
        time.sleep(INTERVAL_S)


def conclude(attempt: Attempt) -> State:
    """What became of an attempt whose processes have ended. Markers decide."""
    facts = replace(attempt_facts(attempt.files), is_alive=False)
    state, _ = derive_state(facts, is_cancelled=False)
    return state
