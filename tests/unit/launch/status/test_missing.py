"""Who is named after a collective operation's time-out."""

from pathlib import Path

import pytest

from launch.status.missing import absent_ranks
from launch.status.why import why
from launch.store.records import names_in
from launch.supervisor.outcomes import fail, has_silent_rank, is_watchdogs
from launch.supervisor.training import Outcome
from pcm.run_dir import AttemptDir, RunDir, write_json

ERROR = {"type": "RuntimeError", "message": "Timed out waiting", "traceback": ""}


@pytest.fixture
def files(tmp_path: Path) -> AttemptDir:
    """Of three ranks: rank 0 waited in vain, rank 2 complains about rank 0, rank 1 was killed."""
    files = RunDir(tmp_path).attempt(1)
    files.path.mkdir(parents=True)
    write_json(files.attempt, {"world_size": 3})
    write_json(files.error(0), ERROR | {"rank": 0, "timed_out": True})
    write_json(files.error(2), ERROR | {"rank": 2, "message": "Connection closed by peer"})
    write_json(files.outcome(1), {"signal": "SIGKILL", "killed": True})
    fail(files, 2, exit_code=1)
    return files


def test_the_one_that_says_nothing(files: AttemptDir, tmp_path: Path) -> None:
    assert absent_ranks(files, names_in(files.path)) == [1]
    assert has_silent_rank(files)
    cause = why(RunDir(tmp_path))
    assert cause is not None
    assert cause.rank == 1
    assert cause.reason == "never came to where the other ranks waited for it"


def test_nobody_if_all_have_something_to_say(files: AttemptDir, tmp_path: Path) -> None:
    write_json(files.error(1), ERROR | {"rank": 1})
    assert absent_ranks(files, names_in(files.path)) == []
    cause = why(RunDir(tmp_path))
    assert cause is not None
    assert cause.rank == 0


def test_nobody_without_a_time_out(files: AttemptDir) -> None:
    write_json(files.error(0), ERROR | {"rank": 0})
    assert absent_ranks(files, names_in(files.path)) == []
    assert not has_silent_rank(files)


def test_not_one_that_was_killed_from_outside(files: AttemptDir) -> None:
    write_json(files.outcome(1), {"signal": "SIGKILL", "killed": False})
    assert absent_ranks(files, names_in(files.path)) == []


def test_nccls_watchdog_says_it_in_the_log_alone(tmp_path: Path) -> None:
    log = tmp_path / "rank-0.log"
    log.write_text("[Rank 0] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=7)")
    assert is_watchdogs(Outcome(None, "SIGABRT"), log)
    assert not is_watchdogs(Outcome(None, "SIGSEGV"), log)
    log.write_text("double free or corruption")
    assert not is_watchdogs(Outcome(None, "SIGABRT"), log)
