import subprocess
import sys
from pathlib import Path

import pytest

from pcm.errors import ExitCode, NotFoundError, PcmError, RefusedError
from pcm.rank.ranks import Ranks
from pcm.rank.stop import StopRequest
from pcm.rank.task import Task, leave_at_once
from pcm.rank.unsupervised import own_attempt
from pcm.run_dir import RunDir, create_json, read_json, write_json
from pcm.run_dir.checkpoints import Manifest
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.checkpoints.starting import StartingPoint, find_start


def add_checkpoint(run_dir: RunDir, step: int) -> Path:
    def ignore(_: Manifest) -> None: ...

    path = run_dir.checkpoints / f"epoch=0-step={step}.ckpt"
    facts = {"step": step, "epoch": 0, "attempt": 1, "reason": "stop"}
    CheckpointFiles(None, lambda: None, ignore).save_checkpoint({"a": 1}, path, facts)
    return path


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    run_dir = RunDir(tmp_path / "run")
    run_dir.path.mkdir()
    write_json(run_dir.experiment, {"id": "1"})
    return run_dir


def test_the_very_first_start(run_dir: RunDir) -> None:
    assert find_start(run_dir, {}, None) == StartingPoint(None, None)


def test_after_an_attempt_that_died_before_its_first_checkpoint(run_dir: RunDir) -> None:
    run_dir.metrics.touch()
    assert find_start(run_dir, {}, None) == StartingPoint(None, 0)


def test_its_own_newest_wins_over_another_experiments(run_dir: RunDir, tmp_path: Path) -> None:
    other = add_checkpoint(RunDir(tmp_path / "other"), 5)
    record = {"starts_from": {"checkpoint": str(other)}}
    assert find_start(run_dir, record, None) == StartingPoint(other, 5, is_own=False)
    own = add_checkpoint(run_dir, 7)
    assert find_start(run_dir, record, None) == StartingPoint(own, 7)


def test_another_experiments_checkpoint_must_be_whole(run_dir: RunDir, tmp_path: Path) -> None:
    other = add_checkpoint(RunDir(tmp_path / "other"), 5)
    record = {"starts_from": {"checkpoint": str(other)}}
    other.write_bytes(b"half")
    with pytest.raises(PcmError, match="is not whole"):
        find_start(run_dir, record, None)
    other.unlink()
    with pytest.raises(NotFoundError, match="is gone"):
        find_start(run_dir, record, None)


def test_attempts_by_hand_are_numbered_and_locked(run_dir: RunDir) -> None:
    with own_attempt(run_dir) as attempt:
        assert attempt.number == 1
        record = read_json(attempt.attempt)
        assert (record["number"], record["executor"], record["world_size"]) == (1, "hand", 1)
        with pytest.raises(RefusedError, match="another attempt"), own_attempt(run_dir):
            pass
    with own_attempt(run_dir) as attempt:
        assert attempt.number == 2


def test_no_attempt_where_there_is_no_experiment(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is no run directory"), own_attempt(RunDir(tmp_path)):
        pass
    assert list(tmp_path.iterdir()) == []


def test_leaving_at_once_names_the_newest_checkpoint(run_dir: RunDir) -> None:
    add_checkpoint(run_dir, 7)
    attempt = run_dir.attempt(2)
    attempt.path.mkdir(parents=True)
    create_json(attempt.stop, {"reason": "preempted"})
    task = Task(run_dir, attempt, None, Ranks(), StopRequest(attempt))
    assert leave_at_once(task) == ExitCode.STOPPED
    assert read_json(attempt.stopped) == {
        "checkpoint": "epoch=0-step=7.ckpt",
        "step": 7,
        "epoch": 0,
        "reason": "preempted",
    }


def test_signals_and_stops_are_handled_before_torch_is_there() -> None:
    program = (
        "import sys, pcm.__main__, pcm.rank.unsupervised, pcm.rank.task\n"
        "print([name for name in ('torch', 'lightning', 'numpy') if name in sys.modules])"
    )
    words = [sys.executable, "-c", program]
    result = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"
