"""The rank that failed first, among those that complain about it."""

import os
from pathlib import Path

import pytest

from launch.status.why import TRACEBACK_LINES, why
from pcm.run_dir import AttemptDir, RunDir, write_json


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path / "an experiment")


@pytest.fixture
def files(run_dir: RunDir) -> AttemptDir:
    files = run_dir.attempt(1)
    files.path.mkdir(parents=True)
    return files


def tell_error(files: AttemptDir, rank: int, kind: str, at: float) -> None:
    record = {"type": kind, "message": f"of rank {rank}", "traceback": f"Traceback\n{kind}"}
    write_json(files.error(rank), record)
    os.utime(files.error(rank), (at, at))


def test_no_failure_no_reason(run_dir: RunDir, files: AttemptDir) -> None:
    assert why(RunDir(run_dir.path / "nowhere")) is None
    write_json(files.stopped, {})
    assert why(run_dir) is None


def test_the_first_error_wins_over_the_first_process_to_end(
    run_dir: RunDir, files: AttemptDir
) -> None:
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    tell_error(files, 0, "ConnectionError", at=1001.0)
    tell_error(files, 12, "ValueError", at=1000.0)
    found = why(run_dir)
    assert found is not None
    assert (found.rank, found.reason) == (12, "ValueError: of rank 12")
    assert found.text.endswith("ValueError")
    assert found.log == files.log(12)


def test_a_silent_node_wins_over_all_complaints(run_dir: RunDir, files: AttemptDir) -> None:
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    tell_error(files, 0, "ConnectionError", at=1000.0)
    tell_error(files, 2, "ConnectionError", at=1002.0)
    silence = {"signal": None, "is_silent": True, "message": "nothing is heard of it"}
    write_json(files.outcome(2), silence)
    found = why(run_dir)
    assert found is not None
    assert (found.rank, found.reason) == (2, "nothing is heard of it")


def test_a_killed_rank_wins_over_all_complaints(run_dir: RunDir, files: AttemptDir) -> None:
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    tell_error(files, 0, "ConnectionError", at=1000.0)
    killed_by_us = {"exit_code": None, "signal": "SIGKILL", "killed": True}
    write_json(files.outcome(1), killed_by_us)
    write_json(files.outcome(2), killed_by_us | {"killed": False})
    files.log(2).write_text("step 1\nstep 2\n")
    found = why(run_dir)
    assert found is not None
    assert (found.rank, found.reason, found.text) == (2, "killed by SIGKILL", "step 1\nstep 2")


def test_lack_of_memory_is_told_whichever_rank_it_met_first(
    run_dir: RunDir, files: AttemptDir
) -> None:
    killed = {"exit_code": None, "signal": "SIGKILL", "killed": False, "out_of_memory": True}
    write_json(files.failed, {"rank": 1, **killed})
    for rank in range(2):
        write_json(files.outcome(rank), killed)
    found = why(run_dir)
    assert found is not None
    assert (found.rank, found.reason) == (0, "out of memory (SIGKILL)")


def test_without_any_error_the_record_of_the_failure_tells(
    run_dir: RunDir, files: AttemptDir
) -> None:
    write_json(files.failed, {"rank": 1, "exit_code": 3, "signal": None, "message": None})
    found = why(run_dir)
    assert found is not None
    assert (found.rank, found.reason, found.text) == (1, "exit code 3", "")


def test_a_long_log_is_cut_from_the_front(run_dir: RunDir, files: AttemptDir) -> None:
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    lines = [f"line é {number}" for number in range(5000)]
    files.log(0).write_text("\n".join(lines))
    found = why(run_dir)
    assert found is not None
    assert found.text.splitlines() == lines[-TRACEBACK_LINES:]


def test_the_newest_attempt_is_asked(run_dir: RunDir, files: AttemptDir) -> None:
    write_json(files.failed, {"rank": 0, "exit_code": 1})
    run_dir.attempt(2).path.mkdir()
    assert why(run_dir) is None
