"""Experiments of one allocation, a few at a time, until there are no more or its time is over."""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from launch.damage import whole
from launch.local.starter import Starter
from launch.local.watched import Watched
from launch.machine.processes import wait_for_an_end
from launch.machine.signals import SCHEDULER, SignalFlag, held_back, is_one_held_back
from launch.pack.drawing import Draw, Drawing
from launch.pack.holders import BEAT_S
from launch.pack.returning import come_back
from launch.pack.useful import is_worth_starting
from launch.results.cost import seconds_of
from launch.store import Experiment
from launch.store.claims import Claims, beat, note_allocation
from launch.store.host_records import AllocationRecord
from launch.store.markers import request_stop
from launch.store.refusals import read_refusal
from launch.store.submissions import index_of
from launch.supervisor.job import Allocation, Job
from launch.supervisor.outcomes import is_gone, record_death
from launch.supervisor.requeue import OWN_CLOCK
from launch.supervisor.time_limit import TimeLimit
from launch.telling import Tell
from pcm.errors import RefusedError
from pcm.run_dir.attempt_records import VerdictRecord
from pcm.run_dir.typed_json import read

TICK_S = 0.25

REFUSED_PAUSE_S = 10.0
"""Before another try where a disk has no room for what is to begin, while others run."""

MOST_SECONDS = 20
"""Durations that an allocation keeps for the others."""


@dataclass(frozen=True, slots=True)
class Own:
    """This allocation.

    Attributes:
        job: this start of it.
        allocation: what its experiments are told of it.
        record: what others are.
    """

    job: Job
    allocation: Allocation
    record: AllocationRecord


@dataclass(eq=False)
class _Running:
    """An experiment that runs, its claim, and its place among those that run."""

    draw: Draw
    watched: Watched
    slot: list[str]


class PackRunner:
    """Draws experiments, runs them, and sends the allocation back if it has more to do.

    Args:
        slots: the GPUs of each experiment that runs at a time.
        limit: of the allocation's time.
        missed: who asked for its end before it could listen; None if nobody did.
        tell: called with what the job's output is to say.
    """

    def __init__(
        self,
        own: Own,
        drawing: Drawing,
        claims: Claims,
        *,
        slots: Sequence[list[str]],
        limit: TimeLimit,
        missed: str | None,
        tell: Tell,
    ) -> None:
        self._own = own
        self._record = own.record
        self._path = claims.allocation(own.job.id)
        self._drawing = drawing
        self._claims = claims
        self._launch = claims.submission.files.launch
        self._free = list(slots)
        self._limit = limit
        self._whole_s = limit.left_s
        self._cause = missed
        self._tell = tell
        self._running: list[_Running] = []
        self._begun = 0
        self._is_late = False
        self._refused = -float("inf")
        self._beaten = time.monotonic()
        members = claims.submission.members(index_of(own.job.id))
        experiments = list(map(self._experiment, members))
        # It is entered with signals held back.
        self._starter = Starter(
            experiments, len(slots), own.allocation, partial(is_one_held_back, SCHEDULER)
        )

    def run(self) -> None:
        """Run it to its end.

        Raises:
            RefusedError: no experiment can be started, e.g. since the disk is full.
        """
        self._note()
        with SignalFlag(SCHEDULER) as signals:
            # What Slurm signals reaches every process on some sites; here it is for us alone.
            with held_back(SCHEDULER):
                self._starter.__enter__()
            try:
                self._go_on(signals)
            finally:
                self._end_everything()
                self._starter.__exit__(None, None, None)
            self._conclude()

    def _go_on(self, signals: SignalFlag) -> None:
        while True:
            self._heed(signals)
            self._collect()
            self._start()
            if not self._running and (self._is_ending or self._starter.is_ready()):
                return
            self._beat()
            self._pause()

    def _pause(self) -> None:
        pids = [pid for each in self._running for pid in each.watched.submitted.pids]
        wait_for_an_end(pids, TICK_S)

    @property
    def _is_ending(self) -> bool:
        """Whether nothing is to be started any more."""
        return self._cause is not None or self._is_late

    def _heed(self, signals: SignalFlag) -> None:
        """Once the allocation's end is near, ask all that run for their checkpoints."""
        if self._cause is None and signals.received:
            self._cause = signals.received[0].name
        elif self._cause is None and self._limit.is_near:
            self._cause = OWN_CLOCK
        if self._cause is not None:
            self._ask_to_stop(self._cause)

    def _ask_to_stop(self, by: str) -> None:
        """Ask all that run, each time: one may just have begun, a full disk have room again."""
        for each in self._running:
            files = each.watched.attempt()
            if files is not None:
                with suppress(OSError):
                    request_stop(files, by=by, reason="interrupt")

    def _start(self) -> None:
        """Fill the free places, as long as there is time for a useful part of an experiment."""
        while self._free and not self._is_waiting and self._starter.is_ready():
            # The first one in any case: else it would be sent back for ever.
            is_worth = is_worth_starting(self._limit.left_s, self._whole_s, self._record.seconds)
            if self._begun and not is_worth:
                self._is_late = True
                return
            try:
                draw = self._draw()
                if draw is None:
                    return
                self._begin(draw)
            except RefusedError as error:
                if not self._running:
                    raise
                # On a full disk those that run go on; there may be room when one has ended.
                self._refused = time.monotonic()
                self._tell(error.message)

    @property
    def _is_waiting(self) -> bool:
        """Whether nothing is to be started just now."""
        return self._is_ending or time.monotonic() < self._refused + REFUSED_PAUSE_S

    def _draw(self) -> Draw | None:
        try:
            draw = self._drawing.next()
            if draw is None:
                draw = self._drawing.last(at_once=not self._running)
        except OSError as error:
            where = self._launch.root
            raise RefusedError(f"no experiment can be drawn in {where}: {error}") from error
        return draw

    def _begin(self, draw: Draw) -> None:
        experiment, slot = self._experiment(draw.id), self._free[0]
        checkpoint = self._claims.submission.checkpoint
        try:
            with held_back(SCHEDULER):
                submitted = self._starter.start(experiment, slot, checkpoint)
        except RefusedError:
            with suppress(OSError):
                self._drawing.give_back(draw)
            raise
        self._free.remove(slot)
        self._begun += 1
        self._record = replace(self._record, fruitless=0)
        self._tell(f"experiment {draw.id} begins")
        self._running.append(_Running(draw, Watched(experiment, submitted, slot), slot))
        self._note()

    def _collect(self) -> None:
        """See to what has ended: its claim, and its place."""
        for each in [each for each in self._running if each.watched.is_over()]:
            each.watched.sweep()
            self._running.remove(each)
            self._free.append(each.slot)
            self._refused = -float("inf")
            try:
                said = self._settle(each)
            except OSError as error:
                # What it came to is in its run directory; its claim is seen to before the next.
                said = f"its claim is seen to later: {error}"
            self._tell(f"experiment {each.draw.id}: {said}")
            self._note()
            if each.watched.has_all_outcomes():
                each.watched.submitted.remove_files()

    def _settle(self, ended: _Running) -> str:
        """Give it back if it is to go on some time, else close it; says which."""
        draw, watched = ended.draw, ended.watched
        files = watched.attempt()
        if files is None:
            return self._settle_unbegun(ended)
        for rank in range(watched.experiment.world_size):
            if is_gone(files, rank):
                with suppress(OSError):
                    record_death(files, rank)
        verdict = whole(read(VerdictRecord, files.verdict))
        if files.finished.exists():
            self._learn(seconds_of(files) if files.number == 1 else 0.0)
        elif verdict is not None and verdict.comes_back:
            self._drawing.give_back(draw)
            return f"{verdict.reason}, given back"
        self._drawing.close(draw)
        return "done" if files.finished.exists() else (verdict and verdict.reason) or "failed"

    def _settle_unbegun(self, ended: _Running) -> str:
        watched = ended.watched
        refusal = read_refusal(self._launch, watched.submitted.key)
        if refusal is None and self._cause is not None:
            self._drawing.give_back(ended.draw)
            return "given back before it began"
        said = "its supervisor came to nothing"
        if refusal is not None:
            said = refusal.message
        elif not watched.experiment.run_dir.path.exists():
            said += ", and its run directory is gone: was it deleted?"
        self._drawing.close(ended.draw, said)
        return said

    def _learn(self, seconds: float) -> None:
        if seconds > 0:
            known = [*self._record.seconds, seconds][-MOST_SECONDS:]
            self._record = replace(self._record, seconds=known)

    def _note(self) -> None:
        self._record = replace(self._record, drawn=self._drawing.drawn)
        # A full disk must not end training.
        with suppress(OSError):
            note_allocation(self._path, self._record)

    def _beat(self) -> None:
        if time.monotonic() > self._beaten + BEAT_S:
            self._beaten = time.monotonic()
            beat(self._path)

    def _end_everything(self) -> None:
        """Leave nothing behind, also where something went wrong."""
        while self._running:
            self._cause = self._cause or "its pack's end"
            self._ask_to_stop(self._cause)
            self._collect()
            self._pause()

    def _conclude(self) -> None:
        """Send the allocation back if it ends before its work does."""
        if not self._is_ending or not self._drawing.is_left():
            self._tell(f"nothing is left for job {self._own.job.id}")
            return
        job, cause = self._own.job, self._cause or OWN_CLOCK
        fruitless = self._record.fruitless
        self._tell(come_back(self._drawing, self._launch, job, cause, fruitless))

    def _experiment(self, experiment_id: str) -> Experiment:
        return Experiment(self._launch, self._launch.point_record(experiment_id) or {})
