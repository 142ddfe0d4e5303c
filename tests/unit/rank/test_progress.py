import errno
import math
import time
from pathlib import Path

import pytest

from pcm.rank.progress import Heartbeat, Progress
from pcm.run_dir import read_json


def test_before_training() -> None:
    record = Progress().record()
    assert record.pop("time") == pytest.approx(time.time(), abs=60)
    assert record == {
        "phase": "starting",
        "epoch": 0,
        "max_epochs": None,
        "step": 0,
        "total_steps": None,
        "loss": None,
        "rate": None,
        "eta": None,
    }


def test_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0, 14.0])
    monkeypatch.setattr("pcm.rank.progress.time.monotonic", lambda: next(clock))
    steps = iter([100, 150, 200])
    progress = Progress()
    progress.phase, progress.total_steps = "training", 300
    progress.count_steps = lambda: next(steps)
    assert progress.record()["rate"] is None
    assert progress.record()["rate"] == 25.0
    record = progress.record()
    assert (record["rate"], record["eta"]) == (25.0, 4.0)


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_json_has_no_word_for_such_a_loss(loss: float) -> None:
    progress = Progress()
    progress.loss = loss
    assert progress.record()["loss"] is None


def test_heartbeat_writes_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    progress = Progress()
    file = tmp_path / "progress.json"
    with Heartbeat(file, progress, period=60):
        progress.phase = "validating"
    assert read_json(file)["phase"] == "validating"


def test_heartbeat_survives_a_folder_that_is_gone(tmp_path: Path) -> None:
    with Heartbeat(tmp_path / "gone" / "progress.json", Progress(), period=0.001):
        time.sleep(0.02)


def test_what_could_not_be_saved_for_longer_than_the_interval_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr("pcm.rank.progress.time.time", lambda: now[0])
    progress = Progress()
    progress.interval = 60.0
    progress.note_save(None)
    now[0] = 1050.0
    progress.note_save("No space left on device")
    assert "unsaved" not in progress.record()
    now[0] = 1061.0
    record = progress.record()
    assert (record["unsaved_since"], record["unsaved"]) == (1000.0, "No space left on device")
    progress.note_save(None)
    assert "unsaved_since" not in progress.record()


def test_a_heartbeat_without_room_for_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    file, progress = tmp_path / "progress.json", Progress()
    progress.phase = "checkpointing, which is a long word"
    with Heartbeat(file, progress, period=60):
        pass
    monkeypatch.setattr("pcm.rank.progress.write_json", refuse)
    progress.phase = "training"
    with Heartbeat(file, progress, period=60):
        pass
    assert read_json(file)["phase"] == "training"
