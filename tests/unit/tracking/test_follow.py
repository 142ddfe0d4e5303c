import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.tracking import follow as follow_module
from pcm.tracking.__main__ import main
from pcm.tracking.follow import follow, sync_run
from pcm.tracking.tensorboard_tracker import TensorBoardTracker
from pcm.tracking.tracker import Tracker
from tests.unit.tracking.conftest import describe, write_rows
from tests.unit.tracking.fakes import FakeTracker, Service

ROOT = Path(__file__).parents[3]
FAKES = "tests.unit.tracking.fakes"


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> FakeTracker:
    """The tracker that every experiment gets."""
    fake = FakeTracker(Service())

    def make(*_: object) -> Tracker:
        return fake

    monkeypatch.setattr(follow_module, "make_tracker", make)
    return fake


def start_follower(run_dir: RunDir, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pcm.tracking", str(run_dir.path), "--follow", "--grace=0.5"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        cwd=ROOT,
    )


def test_following_ends_with_training_and_misses_nothing(
    run_dir: RunDir, tracker: FakeTracker
) -> None:
    ended = threading.Event()

    def train(method: str, client: FakeTracker) -> None:
        if method == "open":
            write_rows(run_dir, 1, 5)
            ended.set()

    tracker.before = train
    warnings: list[str] = []
    follow(run_dir, ended, warnings.append)
    assert tracker.service.steps("train/loss") == list(range(1, 6))
    assert warnings == []
    assert tracker.run is None


def test_a_failing_tracker_is_told_once_and_tried_again(
    run_dir: RunDir, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "_INTERVAL", 0.001)
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "hush-hush")
    write_rows(run_dir, 1, 5)
    ended = threading.Event()
    failures = 0

    def fail_thrice(method: str, client: FakeTracker) -> None:
        nonlocal failures
        if failures == 3:
            ended.set()
        else:
            failures += 1
            raise ConnectionError("no route to https://hush-hush@tracker")

    tracker.before = fail_thrice
    warnings: list[str] = []
    follow(run_dir, ended, warnings.append)
    assert tracker.service.steps("train/loss") == list(range(1, 6))
    (warning,) = warnings
    assert "no route to https://***NEPTUNE_API_TOKEN***@tracker" in warning
    assert str(run_dir.metrics) in warning
    assert f"pcm sync {run_dir.path.name}" in warning


def test_a_broken_tracker_holds_up_no_other(
    run_dir: RunDir, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(run_dir, [f"{FAKES}:Broken", "tensorboard", "csv"])
    write_rows(run_dir, 1, 5)
    assert main([str(run_dir.path)]) == 4
    output = capsys.readouterr()
    assert output.out == "tensorboard: sent 10 points\n"
    assert output.err.startswith(f"error: {FAKES}:Broken: the tracker failed: ConnectionError")
    warnings: list[str] = []
    ended = threading.Event()
    ended.set()
    write_rows(run_dir, 4, 8, attempt=2, resumed_from=3)
    follow(run_dir, ended, warnings.append)
    (warning,) = warnings
    assert "Broken" in warning
    assert TensorBoardTracker(run_dir, {}).last_step("train/loss", otherwise=-1) == 8


def test_a_job_leaves_a_tracker_that_fails_it_to_others(
    run_dir: RunDir, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "_INTERVAL", 60.0)
    write_rows(run_dir, 1, 5)
    ended, failed = threading.Event(), threading.Event()
    job = threading.Thread(target=follow, args=(run_dir, ended, lambda _: failed.set()))

    def has_no_network(method: str, client: FakeTracker) -> None:
        if threading.current_thread() is job:
            raise ConnectionError("no network on this node")

    tracker.before = has_no_network
    job.start()
    assert failed.wait(60)
    assert sync_run(run_dir) == 10
    ended.set()
    job.join(60)
    assert tracker.service.steps("train/loss") == list(range(1, 6))


def test_an_unknown_tracker_is_a_warning(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptun"})
    warnings: list[str] = []
    follow(run_dir, threading.Event(), warnings.append)
    assert ["neptun" in warning for warning in warnings] == [True]


def test_sync_sends_once(run_dir: RunDir, tracker: FakeTracker) -> None:
    write_rows(run_dir, 1, 5)
    assert sync_run(run_dir) == 10
    assert sync_run(run_dir) == 0
    assert tracker.service.steps("train/loss") == list(range(1, 6))


def test_sync_refuses_while_training_feeds(run_dir: RunDir, tracker: FakeTracker) -> None:
    with FileLock(run_dir.tracker_lock), pytest.raises(RefusedError, match="another process"):
        sync_run(run_dir)
    assert tracker.service.runs == {}


def test_sync_refuses_without_a_tracker(run_dir: RunDir) -> None:
    with pytest.raises(RefusedError, match="no tracker"):
        sync_run(run_dir)


def test_sync_refuses_without_a_server(run_dir: RunDir, tracker: FakeTracker) -> None:
    tracker.local = True
    with pytest.raises(RefusedError, match="NEPTUNE_API_TOKEN"):
        sync_run(run_dir)


def test_sync_tells_why_a_tracker_failed(
    run_dir: RunDir, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "hush-hush-token")
    describe(run_dir, {"name": f"{FAKES}:Broken"})
    assert main([str(run_dir.path)]) == 4
    output = capsys.readouterr()
    assert "401 for https://user:***NEPTUNE_API_TOKEN***@tracker.example" in output.err
    assert "Traceback" not in output.err


def test_sync_from_the_command_line(
    run_dir: RunDir, tracker: FakeTracker, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(run_dir, 1, 5)
    assert main([str(run_dir.path)]) == 0
    assert capsys.readouterr().out == "sent 10 points\n"


def test_a_hanging_tracker_is_left_after_the_grace(run_dir: RunDir) -> None:
    describe(run_dir, {"name": f"{FAKES}:Hanging"})
    write_rows(run_dir, 1, 5)
    follower = start_follower(run_dir)
    _, errors = follower.communicate(timeout=60)
    assert follower.returncode == 4
    assert "did not take everything" in errors


def test_a_broken_tracker_shows_no_secret_and_no_traceback(run_dir: RunDir) -> None:
    describe(run_dir, {"name": f"{FAKES}:Broken"})
    follower = start_follower(run_dir, SOME_API_TOKEN="hush-hush-token")
    output, errors = follower.communicate(timeout=60)
    assert follower.returncode == 0
    assert errors.count("warning: the tracker failed") == 1
    assert "hush-hush-token" not in output + errors
    assert "Traceback" not in output + errors
    assert not any("hush" in path.read_text() for path in run_dir.path.iterdir())


def test_the_follower_needs_neither_torch_nor_lightning() -> None:
    code = "import sys, pcm.tracking.__main__; print({'torch', 'lightning'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
