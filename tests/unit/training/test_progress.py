import math
import time
from pathlib import Path

import pytest

from pcm.run_dir import read_json
from pcm.training.progress import Heartbeat, Progress


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
    monkeypatch.setattr("pcm.training.progress.time.monotonic", lambda: next(clock))
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
