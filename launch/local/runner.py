"""Experiments on this machine, a few at a time, in the foreground of a launcher."""

import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from launch.local.starter import Starter
from launch.local.watched import Watched
from launch.machine.devices import visible_devices
from launch.machine.processes import wait_for_an_end
from launch.machine.signals import PERSON, SignalFlag
from launch.slurm.queue import NOT_ASKED
from launch.status.state import State, Status
from launch.status.statuses import read_status, read_statuses
from launch.store import Experiment, RunsRoot
from launch.store.local_queues import announced_queue
from launch.store.markers import request_stop
from launch.store.refusals import read_refusal
from launch.submit.completion import Completion
from launch.supervisor.job import available_cores
from pcm.errors import RefusedError

TICK_S = 0.25

DOUBLE_S = 1.0
"""Signals that are closer together are one: a wrapper may pass on what the terminal sent."""

OnTick = Callable[[Mapping[str, Status]], None]
"""Called a few times a second with the status of every experiment, by its id."""


def default_parallel(world_size: int, gpus: int) -> int:
    """How many experiments of this size fit on this machine at once; at least one."""
    devices = len(visible_devices(os.environ)) if gpus else 0
    return max(1, devices // gpus if devices else available_cores() // world_size)


def run_local(
    experiments: Sequence[Experiment],
    max_parallel: int,
    on_tick: OnTick,
    *,
    checkpoint: str | None = None,
) -> Completion:
    """Run experiments to their end, at most `max_parallel` at a time.

    Whatever ends the call, nothing is left behind. The first Ctrl-C (or SIGTERM, or a closed
    terminal) asks for checkpoints, a second one kills.

    Args:
        experiments: frozen, all under one runs root; those that had attempts are resumed.
        checkpoint: the one to go on from: a file name, `best` or `last`; None takes the newest.
    """
    if not experiments:
        return Completion({}, is_interrupted=False)
    runner = _Runner(experiments, max_parallel, checkpoint)
    return runner.run(on_tick)


class _Runner:
    """The queue of a local launcher, what of it runs, and what has ended."""

    def __init__(
        self, experiments: Sequence[Experiment], max_parallel: int, checkpoint: str | None
    ) -> None:
        self._experiments = experiments
        self._root = RunsRoot(experiments[0].launch.root)
        self._parallel = min(max_parallel, len(experiments))
        self._checkpoint = checkpoint
        self._queue = deque(experiments)
        self._running: list[Watched] = []
        self._ended: dict[str, Status] = {}
        self._refused: dict[str, str] = {}
        self._devices = visible_devices(os.environ)
        self._free = deque(self._devices)
        self._stop_asked_by: str | None = None

    def run(self, on_tick: OnTick) -> Completion:
        with (
            SignalFlag(PERSON) as signals,
            announced_queue(self._root, self._waiting()) as queue,
            Starter(
                self._experiments,
                self._parallel,
                is_given_up=lambda: bool(signals.received),
            ) as self._starter,
        ):
            try:
                while self._queue or self._running:
                    self._tick(signals)
                    queue.update(self._waiting())
                    on_tick(self._statuses())
                    self._pause()
            finally:
                self._end_everything(signals)
        return Completion(self._statuses(), self._stop_asked_by is not None, self._refused)

    def _tick(self, signals: SignalFlag) -> None:
        """One look at everything."""
        self._heed(signals)
        self._collect()
        self._start()

    def _pause(self) -> None:
        """Until the next look, which is sooner where an experiment has ended."""
        pids = [pid for running in self._running for pid in running.submitted.pids]
        wait_for_an_end(pids, TICK_S)

    def _heed(self, signals: SignalFlag) -> None:
        """The first signal asks for checkpoints; a Ctrl-C after that kills.

        All are asked each time, since an attempt may just have been starting before.
        """
        if signals.received and self._stop_asked_by is None:
            self._stop_asked_by = signals.received[0].name
            self._queue.clear()
        if self._stop_asked_by is None:
            return
        for running in self._running:
            files = running.attempt()
            if files is not None:
                # It is asked for again and again: a full disk may have room in a moment.
                with suppress(OSError):
                    request_stop(files, by=self._stop_asked_by, reason="interrupt")
            if signals.is_insisted(DOUBLE_S):
                running.submitted.kill()

    def _end_everything(self, signals: SignalFlag) -> None:
        """Leave nothing behind, also when drawing the progress failed."""
        self._queue.clear()
        while self._running:
            self._stop_asked_by = self._stop_asked_by or "the launcher's end"
            self._tick(signals)
            self._pause()

    def _collect(self) -> None:
        """Note what has ended, and free its place."""
        over = [running for running in self._running if running.is_over()]
        for running in over:
            running.sweep()
            self._ended[running.experiment.id] = self._ending(running)
            self._free.extend(running.devices)
            if running.has_all_outcomes():
                running.submitted.remove_files()
        self._running = [running for running in self._running if running not in over]

    def _ending(self, running: Watched) -> Status:
        """What became of an experiment whose job is over."""
        status = read_status(running.experiment, NOT_ASKED)
        refusal = read_refusal(running.experiment.launch, running.submitted.key)
        if running.attempt() is not None or status.state in (State.DONE, State.CANCELLED):
            return status
        if refusal is None and self._stop_asked_by is not None:
            return status
        if refusal is not None and refusal.is_held:
            self._refused[running.experiment.id] = refusal.message
            return status
        detail = (
            refusal.message
            if refusal is not None
            else f"its supervisor came to nothing; see {running.submitted.launch.jobs}"
        )
        return replace(status, state=State.FAILED, detail=detail)

    def _start(self) -> None:
        """Fill the free places from the queue, in order."""
        while self._queue and len(self._running) < self._parallel and self._starter.is_ready():
            experiment = self._queue[0]
            devices = self._take_devices(experiment.resources.gpus)
            if devices is None:
                return
            self._queue.popleft()
            if self._root.cancelled(experiment.id).exists():
                self._free.extend(devices)
                self._ended[experiment.id] = Status(State.CANCELLED)
                continue
            try:
                submitted = self._starter.start(experiment, devices, self._checkpoint)
            except RefusedError:
                if not self._running:
                    raise
                # A full disk may have room later, and nothing that runs is ended for it.
                self._free.extend(devices)
                self._queue.appendleft(experiment)
                return
            self._running.append(Watched(experiment, submitted, devices))

    def _take_devices(self, count: int) -> list[str] | None:
        """GPUs for one experiment, none where this machine has too few; None to wait for them."""
        if count > len(self._devices):
            return []
        if count > len(self._free):
            return None
        return [self._free.popleft() for _ in range(count)]

    def _waiting(self) -> list[str]:
        return [experiment.id for experiment in self._queue]

    def _statuses(self) -> dict[str, Status]:
        """Of every experiment, in the order that was given."""
        waiting = dict.fromkeys(self._waiting(), Status(State.PENDING))
        is_stopping = self._stop_asked_by is not None
        among = len(self._running)
        running = {
            each.experiment.id: each.status(is_stopping=is_stopping, among=among)
            for each in self._running
        }
        known = waiting | running | self._ended
        dropped = [each for each in self._experiments if each.id not in known]
        self._ended |= read_statuses(dropped, NOT_ASKED)
        known |= self._ended
        return {experiment.id: known[experiment.id] for experiment in self._experiments}
