"""What others see of a launcher's queue."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from launch.machine.processes import Process
from launch.store import RunsRoot
from launch.store.local_queues import announced_queue, queued_ids


@pytest.fixture
def root(tmp_path: Path) -> RunsRoot:
    return RunsRoot(tmp_path / "ru ns")


def forge(root: RunsRoot, record: object, age_s: float = 0.0) -> None:
    """Leave a file as another launcher would."""
    path = root.path / "queues" / "other.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record))
    os.utime(path, (time.time() - age_s, time.time() - age_s))


def test_a_queue_is_seen_while_it_lasts(root: RunsRoot) -> None:
    assert queued_ids(root) == set()
    with announced_queue(root, ["a", "b"]) as queue, announced_queue(root, ["c"]):
        assert queued_ids(root) == {"a", "b", "c"}
        queue.update(["b"])
        assert queued_ids(root) == {"b", "c"}
    assert queued_ids(root) == set()
    assert list((root.path / "queues").iterdir()) == []


def test_it_is_gone_after_an_error_too(root: RunsRoot) -> None:
    with pytest.raises(KeyboardInterrupt), announced_queue(root, ["a"]):
        raise KeyboardInterrupt
    assert list((root.path / "queues").iterdir()) == []


def test_a_killed_launchers_queue_does_not_count(root: RunsRoot) -> None:
    dead = Process.current().record() | {"process_started": "1"}
    forge(root, dead | {"experiments": ["a"]})
    assert queued_ids(root) == set()


def test_another_machines_queue_counts_while_it_beats(root: RunsRoot) -> None:
    elsewhere = {"host": "other", "pid": 1, "process_started": "1", "experiments": ["a"]}
    forge(root, elsewhere)
    assert queued_ids(root) == {"a"}
    forge(root, elsewhere, age_s=1000)
    assert queued_ids(root) == set()


def test_a_queue_that_stays_as_it_is_beats(root: RunsRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("launch.store.local_queues.BEAT_S", -1.0)
    with announced_queue(root, ["a"]) as queue:
        [path] = (root.path / "queues").iterdir()
        os.utime(path, (0, 0))
        queue.update(["a"])
        assert path.stat().st_mtime > 0


def test_what_cannot_be_written_is_told_later(
    root: RunsRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launch.store.local_queues.BEAT_S", -1.0)
    with announced_queue(root, ["a", "b"]) as queue:
        shutil.rmtree(root.queues)
        queue.update(["a", "b"])
        queue.update(["b"])
        assert queued_ids(root) == set()
        root.queues.mkdir()
        queue.update(["b"])
        assert queued_ids(root) == {"b"}


@pytest.mark.parametrize("record", [None, [], "x", {}])
def test_garbage_is_no_queue(root: RunsRoot, record: object) -> None:
    forge(root, record)
    assert queued_ids(root) == set()
