"""One rank while it trains: pass a stop on, notice what the other ranks do, tell the outcome."""

import os
import time
from contextlib import suppress
from dataclasses import replace

from launch.machine.gpu_use import GpuLook, device_of_rank
from launch.machine.listening import Listener
from launch.machine.processes import Process, wait_for_an_end
from launch.machine.signals import SignalFlag
from launch.store.markers import request_kill, request_stop
from launch.store.records import supervisor_of
from launch.supervisor import heartbeat
from launch.supervisor.attempt import Attempt
from launch.supervisor.job import Job
from launch.supervisor.lookout import Lookout
from launch.supervisor.memory import count_killed_companions
from launch.supervisor.outcomes import is_gone, record_death, record_outcome, record_silence
from launch.supervisor.patience import Patience
from launch.supervisor.requeue import OWN_CLOCK
from launch.supervisor.state_note import StateNote
from launch.supervisor.time_limit import TimeLimit
from launch.supervisor.training import Outcome, TrainingProcess
from launch.supervisor.usage_note import UsageNote
from pcm.run_dir.line import ALIVE, STOP, line_of
from pcm.run_dir.records import SupervisorRecord
from pcm.run_dir.typed_json import write

POLL_INTERVAL_S = 0.1

PEERS_INTERVAL_S = 1.0

GRACE_S = 10.0
"""Time for a rank to tell its own error when another one has failed."""


class Rank:
    """Watches over the training process of one rank of an attempt."""

    def __init__(
        self, attempt: Attempt, job: Job, signals: SignalFlag, limit: TimeLimit | None = None
    ) -> None:
        self._files = attempt.files
        self._gpus = attempt.gpus
        self._run_dir = attempt.run_dir
        self._patience = Patience(attempt, job.rank)
        self._job = job
        self._signals = signals
        self._limit = limit
        self._failure_seen: float | None = None
        self._missed: float | None = None
        self._has_told = False
        self._unknown = set(range(job.world_size)) - {job.rank}
        self._peers: dict[int, Process] = {}
        self._looked = 0.0
        self._lookout = Lookout(attempt.files, job)
        self._line = Listener(line_of(attempt.files.path, job.rank))
        self._note: StateNote | None = None
        self._watch = heartbeat.next_rank(self._files, job)
        self._beaten = time.monotonic()

    def run(self, training: TrainingProcess) -> Outcome:
        """Wait for the end of the training process and write it down."""
        self._note = StateNote(self._files.state(self._job.rank), training.process)
        usage = UsageNote(self._files.usage(self._job.rank), training.process, self._gpu_look())
        write(self._files.supervisor(self._job.rank), self._record(training))
        try:
            while (outcome := training.poll()) is None:
                self._lookout.hear()
                self._pass_on_stop()
                if time.monotonic() > self._looked + PEERS_INTERVAL_S:
                    self._look(training)
                    self._note.renew()
                    usage.renew()
                if time.monotonic() > self._beaten + heartbeat.INTERVAL_S:
                    self._beat()
                self._end_after_failure(training)
                wait_for_an_end([training.process.pid], POLL_INTERVAL_S)
        finally:
            self._lookout.close()
            self._line.close()
        usage.close()
        if self._job.is_packed and outcome.signal != "SIGKILL":
            # The kernel counts by the job, so it may have been another experiment's process.
            outcome = replace(outcome, out_of_memory=False)
        companions = count_killed_companions(self._files)
        if companions > 0 and outcome.oom_kills <= companions:
            outcome = replace(outcome, out_of_memory=False)
        record_outcome(self._files, self._job.rank, outcome)
        self._look_at_peers()
        return outcome

    def _gpu_look(self) -> GpuLook | None:
        visible = self._job.devices
        if visible is None:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        device = device_of_rank(visible, self._job.local_rank, self._gpus)
        return None if device is None else GpuLook(device)

    def _record(self, training: TrainingProcess) -> SupervisorRecord:
        child = training.process
        return SupervisorRecord(
            **Process.current().record(),
            child_host=child.host,
            child_pid=child.pid,
            child_process_started=child.started,
            command=training.command,
        )

    def _look(self, training: TrainingProcess) -> None:
        """Once a second: at what others ask and how they fare, and a word to training."""
        self._looked = time.monotonic()
        self._lookout.look()
        if not self._lookout.is_told:
            self._look_at_peers()
        self._insist(training)
        self._look_for_failure()
        self._tell()

    def _tell(self) -> None:
        """Tell training that its supervisor lives, and whether it is to stop."""
        self._line.tell(ALIVE + STOP if self._lookout.has(self._files.stop) else ALIVE)

    def _pass_on_stop(self) -> None:
        if not self._lookout.has(self._files.stop):
            self._request_stop()
        elif not self._has_told:
            self._has_told = True
            self._tell()

    def _request_stop(self) -> None:
        """Ask for what a signal, the launcher's end or the time limit asks for."""
        if self._signals.received:
            by = self._signals.received[0].name
        elif self._job.is_orphaned:
            by = "the launcher's end"
        elif self._limit is not None and self._limit.is_near:
            by = OWN_CLOCK
        else:
            return
        # It is asked for again and again: a full disk may have room in a moment.
        try:
            request_stop(self._files, by=by, reason="interrupt")
        except OSError as error:
            is_gone = isinstance(error, FileNotFoundError)
            self._missed = (self._missed or time.monotonic()) if is_gone else None
        else:
            self._missed = None
            self._lookout.note(self._files.stop)

    def _insist(self, training: TrainingProcess) -> None:
        """Kill what is to end at once, and what has not heeded a stop."""
        if self._patience.is_over(training.process, self._lookout.has):
            with suppress(OSError):
                why = self._patience.complaint
                request_kill(self._run_dir, self._files, by="its supervisor", why=why)
                self._lookout.note(self._files.kill)
        # Nobody can ask training by its run directory where somebody has deleted that.
        is_deleted = self._missed is not None and self._patience.is_past(self._missed)
        if is_deleted or self._lookout.has(self._files.kill):
            training.kill()

    def _look_at_peers(self) -> None:
        """A killed supervisor tells nobody, so the others on its machine look after it."""
        known = {rank: supervisor_of(self._files, rank) for rank in self._unknown}
        self._unknown = {rank for rank, process in known.items() if process is None}
        # Who is on another machine is not asked again, or a large job would read all the time.
        self._peers |= {
            rank: process
            for rank, process in known.items()
            if process is not None and process.is_local
        }
        for rank in [rank for rank, process in self._peers.items() if not process.is_alive]:
            if is_gone(self._files, rank):
                record_death(self._files, rank)
            elif self._files.outcome(rank).exists():
                del self._peers[rank]

    def _beat(self) -> None:
        """A node that is gone tells nobody either, so the others listen for each other."""
        self._beaten = time.monotonic()
        if self._watch is not None:
            heartbeat.beat(self._files, self._job.rank)
            if self._watch.is_silent():
                record_silence(self._files, self._watch.rank)

    def _look_for_failure(self) -> None:
        if self._failure_seen is None and self._lookout.has(self._files.failed):
            if self._note is not None:
                # One that hangs is killed soon, and this is what it did.
                self._note.renew(at_once=True)
            self._failure_seen = time.monotonic()

    def _end_after_failure(self, training: TrainingProcess) -> None:
        if self._failure_seen is not None and time.monotonic() > self._failure_seen + GRACE_S:
            training.kill()
