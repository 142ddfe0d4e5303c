"""How often a local launcher looks at what it has started."""

from pathlib import Path
from typing import cast

import pytest

from launch.local import watched as module
from launch.local.watched import Watched
from launch.status.state import State, Status
from launch.store import LaunchDir
from launch.submit.local_job import LocalJob
from pcm.run_dir import write_json
from pcm.run_dir.attempt_records import ProgressRecord
from tests.local.launches import make_launch

SECONDS = 120


class Job:
    """One that runs and runs."""

    key = "a key"
    is_over = False

    def __init__(self, launch: LaunchDir) -> None:
        self.launch = launch


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each look at progress, and each at everything."""
    done: list[str] = []

    def read_progress(*_: object) -> ProgressRecord:
        done.append("progress")
        return ProgressRecord(step=2)

    def read_status(*_: object) -> Status:
        done.append("full")
        return Status(State.RUNNING, progress=ProgressRecord(step=1))

    monkeypatch.setattr(module, "read_progress", read_progress)
    monkeypatch.setattr(module, "read_status", read_status)
    return done


@pytest.mark.parametrize("count", [1, 2, 8, 64])
def test_all_together_are_looked_at_four_times_a_second(
    count: int, looks: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiments = make_launch(tmp_path, [str(index) for index in range(count)])
    running = [Watched(each, cast("LocalJob", Job(each.launch)), []) for each in experiments]
    for each in experiments:
        files = each.run_dir.attempt(1)
        files.path.mkdir(parents=True)
        write_json(files.attempt, {"number": 1, "key": "a key"})
    now = 1000.0
    monkeypatch.setattr("launch.local.watched.time.monotonic", lambda: now)
    for _ in range(4 * SECONDS):
        now += 0.25
        for watched in running:
            watched.status(is_stopping=False, among=count)
    assert len(looks) <= 4 * SECONDS + count
    assert looks.count("full") <= SECONDS / 5 + count
    assert all(watched.status(is_stopping=False, among=count).progress for watched in running)
