"""How long a stop may take, by a clock that the tests set."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.store import LaunchDir
from launch.supervisor import patience as module
from launch.supervisor.attempt import Attempt
from launch.supervisor.patience import LEAST_S, SAVING_S, Patience, least_seconds
from pcm.run_dir import RunDir, write_json

ME = Process.current()


@dataclass
class Clock:
    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    """The second one of an experiment; a stop has been asked for."""
    run_dir = RunDir(tmp_path)
    for number in (1, 2):
        run_dir.attempt(number).path.mkdir(parents=True)
    run_dir.checkpoints.mkdir()
    write_json(run_dir.attempt(2).stop, {"by": "pcm cancel"})
    return Attempt(LaunchDir(tmp_path), run_dir, run_dir.attempt(2), [], [], 1)


def is_over_after(patience: Patience, clock: Clock, seconds: float) -> bool:
    clock.now += seconds
    return patience.is_over(ME)


def test_it_is_over_after_a_minute(attempt: Attempt, clock: Clock) -> None:
    patience = Patience(attempt, 0)
    assert not is_over_after(patience, clock, 500)
    assert not is_over_after(patience, clock, LEAST_S)
    assert is_over_after(patience, clock, 1)
    assert patience.complaint == "did not obey for 61 s, killed"


def test_it_never_is_where_nobody_has_asked(attempt: Attempt, clock: Clock) -> None:
    attempt.files.stop.unlink()
    patience = Patience(attempt, 0)
    assert not is_over_after(patience, clock, 0)
    assert not is_over_after(patience, clock, 10_000)


def test_the_longest_step_of_an_earlier_attempt_counts(attempt: Attempt, clock: Clock) -> None:
    write_json(attempt.run_dir.attempt(1).progress, {"longest_step": 100.0})
    write_json(attempt.files.progress, {"phase": "training", "longest_step": 3.0})
    patience = Patience(attempt, 0)
    assert not is_over_after(patience, clock, 0)
    assert not is_over_after(patience, clock, 200)
    assert is_over_after(patience, clock, 1)


def test_a_checkpoint_that_grows_is_obedience(attempt: Attempt, clock: Clock) -> None:
    patience = Patience(attempt, 0)
    for size in range(5):
        (attempt.run_dir.checkpoints / ".a.ckpt.1234.tmp").write_bytes(b"x" * size)
        assert not is_over_after(patience, clock, LEAST_S)
    assert is_over_after(patience, clock, LEAST_S + 1)


@pytest.mark.parametrize("name", [".a.ckpt.1234.tmp", "a.ckpt"])
def test_one_that_is_being_flushed_or_checked_gets_more(
    attempt: Attempt, clock: Clock, name: str
) -> None:
    write_json(attempt.files.progress, {"phase": "checkpointing"})
    (attempt.run_dir.checkpoints / name).write_bytes(b"x")
    patience = Patience(attempt, 0)
    assert not is_over_after(patience, clock, 0)
    assert not is_over_after(patience, clock, SAVING_S)
    assert is_over_after(patience, clock, 1)


def test_not_where_its_writer_is_stopped(
    attempt: Attempt, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(attempt.files.progress, {"phase": "checkpointing"})
    (attempt.run_dir.checkpoints / "a.ckpt").write_bytes(b"x")
    monkeypatch.setattr(module, "activity_of", lambda _: None)
    patience = Patience(attempt, 0)
    assert not is_over_after(patience, clock, 0)
    assert is_over_after(patience, clock, LEAST_S + 1)


def test_other_ranks_leave_it_to_rank_0_for_as_long_as_that_is_there(
    attempt: Attempt, clock: Clock
) -> None:
    patience = Patience(attempt, 1)
    assert not is_over_after(patience, clock, 0)
    assert not is_over_after(patience, clock, 10_000)
    write_json(attempt.files.outcome(0), {})
    assert not is_over_after(patience, clock, 0)
    assert is_over_after(patience, clock, LEAST_S + 1)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2", 120.0), ("0.5", 30.0), ("-1", 60.0), ("soon", 60.0)]
)
def test_the_users_own_patience(text: str, seconds: float) -> None:
    assert least_seconds({"PCM_STOP_MINUTES": text}) == seconds
