import math
import time
from pathlib import Path

import pytest

from pcm.run_dir import AttemptDir, write_json
from pcm.run_dir.checkpointing import Checkpointing, Mode
from pcm.training.checkpoints.schedule import (
    Schedule,
    cheapest_interval,
    mean_between_interruptions,
)

HOUR = 3600.0


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_by_minutes_an_epochs_end_counts_only_when_it_is_due(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(every="10 minutes"))
    assert not wanted.is_due(5)
    clock.now += 600
    assert wanted.is_due(6)
    wanted.note_begun(6)
    assert not wanted.is_due(7)
    assert not wanted.takes_epoch(1)


def test_minutes_of_their_own_have_every_epochs_end_besides(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(every="500 steps"), minutes=1)
    assert wanted.takes_epoch(1)
    wanted.is_due(0)
    assert not wanted.is_due(501)
    clock.now += 60
    assert wanted.is_due(501)


def test_by_steps_since_the_last_one(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(every="500 steps"), step=300)
    assert not wanted.is_due(300), "training goes on from there"
    clock.now += 1e6
    assert not wanted.is_due(799)
    assert wanted.is_due(800)
    wanted.note_begun(801)
    wanted.note_end(is_saved=True)
    clock.now += 1e6
    assert not wanted.is_due(1300)
    assert wanted.is_due(1301)


def test_by_epochs(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(every="2 epochs"))
    clock.now += 1e6
    assert not wanted.is_due(10**9)
    assert [wanted.takes_epoch(epochs) for epochs in (1, 2, 3, 4)] == [False, True, False, True]


@pytest.mark.parametrize("every", ["auto", "5 steps", "3 epochs"])
def test_what_could_not_be_written_is_tried_again_soon(clock: Clock, every: str) -> None:
    wanted = Schedule(Checkpointing(every=every))
    wanted.note_begun(1)
    wanted.note_end(is_saved=False)
    assert not wanted.is_due(1)
    clock.now += 180
    assert wanted.is_due(1)


def test_what_costs_the_least(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(), between_interruptions=2 * HOUR)
    for cost, seconds in ((0.01, 60.0), (4.0, 240.0), (1000.0, 1800.0)):
        wanted.note_begun(1)
        wanted.note_cost(cost)
        wanted.note_end(is_saved=True)
        assert wanted.period == pytest.approx(seconds)
        clock.now += seconds - 1
        assert not wanted.is_due(1)
        clock.now += 2
        assert wanted.is_due(1)
    # By hand: two seconds each, interrupted every 10 hours.
    assert cheapest_interval(2, 10 * HOUR) == pytest.approx(math.sqrt(4 * 36_000))


def test_a_new_best_is_due(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(monitor="val/acc", mode=Mode.MAX), best=0.5)
    for value, is_best in ((0.4, False), (math.nan, False), (0.6, True), (0.6, False), (0.7, True)):
        wanted.note_validation({"val/acc": value, "val/loss": -value})
        assert wanted.is_due(1) is is_best
        wanted.note_begun(1)
    wanted.note_validation({"val/loss": 0.0})
    assert not wanted.is_due(1)


def test_who_keeps_no_best_needs_none(clock: Clock) -> None:
    wanted = Schedule(Checkpointing(keep_best=0))
    wanted.note_validation({"val/loss": 1.0})
    assert not wanted.is_due(1)


def test_interruptions_of_the_attempts_before(tmp_path: Path) -> None:
    assert mean_between_interruptions([]) == 24 * HOUR
    attempts = []
    for number, hours in ((1, 2), (2, 4), (3, None)):
        attempt = AttemptDir(tmp_path / str(number))
        attempt.path.mkdir()
        if hours is not None:
            write_json(attempt.attempt, {"started": 1000.0})
            write_json(attempt.progress, {"time": 1000.0 + hours * HOUR})
        attempts.append(attempt)
    assert mean_between_interruptions(attempts) == pytest.approx((24 + 2 + 4) / 4 * HOUR)
