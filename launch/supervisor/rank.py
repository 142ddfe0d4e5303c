"""One rank while it trains: pass a stop on, notice what the other ranks do, tell the outcome."""

import time
from contextlib import suppress

from launch.damage import whole
from launch.machine.processes import Process, kill_group
from launch.machine.signals import SignalFlag
from launch.store.markers import request_stop
from launch.store.records import names_in, supervisor_of, training_of
from launch.supervisor import heartbeat
from launch.supervisor.attempt import Attempt
from launch.supervisor.job import Job
from launch.supervisor.training import Outcome, TrainingProcess
from pcm.run_dir import AttemptDir, create_json
from pcm.run_dir.records import FailureRecord, OutcomeRecord, SupervisorRecord
from pcm.run_dir.typed_json import create, read, write

POLL_INTERVAL_S = 0.1

PEERS_INTERVAL_S = 1.0

GRACE_S = 10.0
"""Time for a rank to tell its own error when another one has failed."""


class Rank:
    """Watches over the training process of one rank of an attempt."""

    def __init__(self, attempt: Attempt, job: Job, signals: SignalFlag) -> None:
        self._files = attempt.files
        self._job = job
        self._signals = signals
        self._failure_seen: float | None = None
        self._peers = set(range(job.world_size)) - {job.rank}
        self._peers_seen = 0.0
        self._watch = heartbeat.next_rank(self._files, job)
        self._beaten = time.monotonic()

    def run(self, training: TrainingProcess) -> Outcome:
        """Wait for the end of the training process and write it down."""
        write(self._files.supervisor(self._job.rank), self._record(training))
        while (outcome := training.poll()) is None:
            self._pass_on_stop()
            if time.monotonic() > self._peers_seen + PEERS_INTERVAL_S:
                self._look_at_peers()
            if time.monotonic() > self._beaten + heartbeat.INTERVAL_S:
                self._beat()
            self._end_after_failure(training)
            time.sleep(POLL_INTERVAL_S)
        record_outcome(self._files, self._job.rank, outcome)
        self._look_at_peers()
        return outcome

    def _record(self, training: TrainingProcess) -> SupervisorRecord:
        child = training.process
        return SupervisorRecord(
            **Process.current().record(),
            child_host=child.host,
            child_pid=child.pid,
            child_process_started=child.started,
            command=training.command,
        )

    def _pass_on_stop(self) -> None:
        if self._signals.received:
            self._request_stop(self._signals.received[0].name)
        elif self._job.is_orphaned:
            self._request_stop("the launcher's end")

    def _request_stop(self, by: str) -> None:
        # It is asked for again and again: a full disk may have room in a moment.
        with suppress(OSError):
            request_stop(self._files, by=by, reason="interrupt")

    def _look_at_peers(self) -> None:
        """A killed supervisor tells nobody, so the others on its machine look after it."""
        self._peers_seen = time.monotonic()
        supervisors = {rank: supervisor_of(self._files, rank) for rank in self._peers}
        # Who is on another machine is not asked again, or a large job would read all the time.
        self._peers = {
            r for r, process in supervisors.items() if process is None or process.is_local
        }
        for rank in self._peers:
            if is_gone(self._files, rank):
                record_death(self._files, rank)

    def _beat(self) -> None:
        """A node that is gone tells nobody either, so the others listen for each other."""
        self._beaten = time.monotonic()
        if self._watch is not None:
            heartbeat.beat(self._files, self._job.rank)
            if self._watch.is_silent():
                record_silence(self._files, self._watch.rank)

    def _end_after_failure(self, training: TrainingProcess) -> None:
        if self._failure_seen is None and self._files.failed.exists():
            self._failure_seen = time.monotonic()
        if self._failure_seen is not None and time.monotonic() > self._failure_seen + GRACE_S:
            training.kill()


def is_gone(files: AttemptDir, rank: int) -> bool:
    """Whether the supervisor of a rank on this machine was killed before it told the outcome."""
    supervisor = supervisor_of(files, rank)
    is_dead = supervisor is not None and supervisor.is_local and not supervisor.is_alive
    return is_dead and not files.outcome(rank).exists()


def record_outcome(files: AttemptDir, rank: int, outcome: Outcome) -> None:
    """Write down how a rank ended, and whether that is the failure of all.

    Markers decide: what comes after the end of training is no failure any more. Where others
    have taken the rank for dead, they have told its outcome, and the job is at its end.
    """
    if not create_json(files.outcome(rank), outcome.record()):
        return
    if files.finished.exists() or outcome.killed:
        return
    if outcome.is_failure:
        fail(files, rank, outcome.exit_code, outcome.signal, is_oom=outcome.out_of_memory)
    elif rank == 0 and not files.stopped.exists():
        fail(files, rank, outcome.exit_code, message="training ended without a word")


def record_death(files: AttemptDir, rank: int) -> None:
    """Write down, in its place, that a supervisor was killed, and its training with it.

    The kernel kills its training process; the workers of that are left over.
    """
    child = training_of(files, rank)
    if child is not None and child.is_local:
        kill_group(child)
    message = "its supervisor was killed"
    death = OutcomeRecord(signal="SIGKILL", ended=time.time(), message=message)
    if create(files.outcome(rank), death):
        fail(files, rank, message=message)


def record_silence(files: AttemptDir, rank: int) -> None:
    """Write down, in its place, that a supervisor gives no sign of life."""
    if files.finished.exists():
        return
    supervisor = supervisor_of(files, rank)
    host = None if supervisor is None else supervisor.host
    message = f"nothing is heard of its supervisor on {host}: it was killed, or its node is gone"
    silence = OutcomeRecord(ended=time.time(), is_silent=True, message=message)
    if create(files.outcome(rank), silence):
        fail(files, rank, message=message)


def has_silent_rank(files: AttemptDir) -> bool:
    """Whether nothing was heard of one of an attempt's ranks any more."""
    names = (name for name in names_in(files.path) if name.startswith("outcome-"))
    outcomes = (whole(read(OutcomeRecord, files.path / name)) for name in names)
    return any(outcome is not None and outcome.is_silent for outcome in outcomes)


def fail(
    files: AttemptDir,
    rank: int,
    exit_code: int | None = None,
    signal: str | None = None,
    message: str | None = None,
    *,
    is_oom: bool = False,
) -> None:
    """Tell all ranks that one has failed; the first failure is the one that counts."""
    create(files.failed, FailureRecord(rank, exit_code, signal, message, is_oom))
