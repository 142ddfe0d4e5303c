import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pcm.errors import RefusedError
from pcm.run_dir import RunDir
from pcm.tracking.tensorboard_tracker import TensorBoardTracker
from pcm.tracking.watch import Watch
from tests.unit.tracking import fakes
from tests.unit.tracking.conftest import describe, write_rows
from tests.unit.tracking.fakes import Broken

BROKEN = "tests.unit.tracking.fakes:Broken"


def last_step(run_dir: RunDir) -> int:
    return TensorBoardTracker(run_dir, {}).last_step("train/loss", otherwise=-1)


@pytest.fixture
def runs(tmp_path: Path) -> list[RunDir]:
    """One that asks for TensorBoard, one for a tracker that fails, one that has not started."""
    runs = [RunDir(tmp_path / name) for name in ("aaa", "bbb", "ccc")]
    for run_dir, tracker in zip(runs, ["tensorboard", BROKEN], strict=False):
        run_dir.path.mkdir()
        run_dir.config.write_text("seed: 0\n")
        describe(run_dir, tracker)
        write_rows(run_dir, 1, 5)
    return runs


def test_what_is_new_is_sent_and_a_failure_told_once(runs: list[RunDir]) -> None:
    lines: list[str] = []
    watch = Watch([], lines.append)
    watch.look(runs)
    sent, failure = sorted(lines)
    assert sent == "aaa: tensorboard: sent 10 points"
    assert failure.startswith(f"bbb: {BROKEN}: the tracker failed: ConnectionError")
    watch.look(runs)
    assert len(lines) == 2
    write_rows(runs[0], 4, 8, attempt=2, resumed_from=3)
    watch.look(runs)
    assert lines[2:] == ["aaa: tensorboard: sent 6 points"]
    assert last_step(runs[0]) == 8
    assert not watch.is_all_sent


def test_any_experiment_goes_to_another_tracker(runs: list[RunDir]) -> None:
    watch = Watch(["tensorboard"], lambda _: None)
    watch.look(runs)
    assert last_step(runs[1]) == 5
    assert watch.is_all_sent


def test_a_server_that_is_down_is_told_of_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [RunDir(tmp_path / f"{index:010x}") for index in range(4)]
    for run_dir in runs:
        run_dir.path.mkdir()
        describe(run_dir, BROKEN)
        write_rows(run_dir, 1, 5)
    answers = dict.fromkeys(runs, "no answer")

    def sync(run_dir: RunDir, _request: object) -> int | RefusedError:
        answer = answers[run_dir]
        return 7 if answer == "" else RefusedError(f"{answer} on {run_dir.path.name}")

    monkeypatch.setattr("pcm.tracking.lane.sync_tracker", sync)
    lines: list[str] = []
    watch = Watch([], lines.append)
    for _ in range(2):
        watch.look(runs)
    first = f"{'0' * 10}: {BROKEN}: no answer on {'0' * 10}"
    assert lines == [first, f"{BROKEN}: the same of 3 more"]
    # Another reason is told, and so is the same one after it was well for a while.
    answers[runs[3]] = "a refusal"
    answers[runs[2]] = ""
    watch.look(runs)
    assert lines[2:] == [
        f"{2:010x}: {BROKEN}: sent 7 points",
        f"{3:010x}: {BROKEN}: a refusal on {3:010x}",
    ]
    assert not watch.is_all_sent


def test_a_tracker_that_hangs_holds_up_no_other(runs: list[RunDir]) -> None:
    hanging = "tests.unit.tracking.fakes:Hanging"
    describe(runs[0], [hanging, "tensorboard"])
    describe(runs[1], ["tensorboard"])
    lines: list[str] = []
    watch = Watch([], lines.append, patience=0.0)
    for first, last in ((1, 5), (6, 8)):
        write_rows(runs[0], first, last)
        while last_step(runs[0]) < last or last_step(runs[1]) < 5:
            watch.start(runs)
            time.sleep(0.01)
    watch.wait()
    assert lines.count(f"aaa: {hanging}: still not sent after 0 s") == 1
    assert watch.hangs
    assert not watch.is_all_sent


def test_a_damaged_record_holds_up_no_other(runs: list[RunDir]) -> None:
    runs[1].experiment.write_text("{")
    lines: list[str] = []
    Watch([], lines.append).look(runs)
    failure, sent = sorted(lines, reverse=True)
    assert sent == "aaa: tensorboard: sent 10 points"
    assert failure.startswith("bbb: none: JSONDecodeError")


def test_from_the_command_line_until_the_end_of_input(runs: list[RunDir]) -> None:
    command = [sys.executable, "-m", "pcm.tracking", "--watch", str(runs[0].path.parent)]
    done = subprocess.run(
        command, input="aaa\nccc\n", capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "aaa: tensorboard: sent 10 points\n"


def test_each_of_several_is_sent_once_and_a_failure_ends_none(runs: list[RunDir]) -> None:
    command = [sys.executable, "-m", "pcm.tracking", "--each", str(runs[0].path.parent)]
    done = subprocess.run(
        command, input="bbb\nccc\naaa", capture_output=True, text=True, check=True, timeout=60
    )
    failed, absent, sent = map(json.loads, done.stdout.splitlines())
    assert failed["code"] == 4
    assert failed["errors"][0].startswith("error: the tracker failed: ConnectionError")
    assert absent["code"] == 4
    assert absent["sent"] == []
    assert sent == {"code": 0, "sent": ["sent 10 points"], "errors": []}


def test_the_same_trouble_is_told_once_however_long_it_is(
    runs: list[RunDir], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Proxy(Broken):
        """Answers a page of HTML, with another object at each try."""

        def open(self, _runs: Sequence[str]) -> str:
            raise ConnectionError(f"{object()!r}: <html>{'x' * 100_000}")

    monkeypatch.setattr(fakes, "Broken", Proxy)
    lines: list[str] = []
    watch = Watch([], lines.append)
    for _ in range(3):
        watch.look(runs[1:])
    (told,) = lines
    assert "<object object>: <html>xxx" in told
    assert len(told) < 1000
