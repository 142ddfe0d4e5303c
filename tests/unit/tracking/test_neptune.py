"""Neptune's real client offline; a stand-in for it online."""

import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcm.errors import RefusedError
from pcm.run_dir import JournalWriter, RunDir, read_json, write_json
from pcm.tracking.events import EventWriter
from pcm.tracking.feeder import Feeder
from pcm.tracking.neptune_tracker import NeptuneTracker, offline_last_step
from tests.unit.tracking.conftest import describe, write_rows

TOKEN = "eyJhcGlfYWRkcmVzcyI6Imh0dHA6Ly9uZXB0dW5lIn0="


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEPTUNE_API_TOKEN", "NEPTUNE_PROJECT", "NEPTUNE_DATA_DIRECTORY", "NEPTUNE_MODE"):
        monkeypatch.delenv(name, raising=False)


def operations(run_dir: RunDir) -> Iterator[dict[str, Any]]:
    """Everything in the offline files, in order of the runs' beginnings."""
    files = run_dir.path.glob(".neptune/offline/*/data-*.log")
    for file in sorted(files, key=lambda file: file.stat().st_ctime):
        for line in file.read_text().splitlines():
            yield json.loads(line)["obj"]


def logged(run_dir: RunDir, key: str) -> list[tuple[int, Any]]:
    """(step, value) of a series, over all offline runs."""
    return [
        (item["step"], item["value"])
        for operation in operations(run_dir)
        if operation["path"] == key.split("/") and "values" in operation
        for item in operation["values"]
    ]


def feed(run_dir: RunDir) -> None:
    feeder = Feeder(run_dir, NeptuneTracker(run_dir, read_json(run_dir.experiment)))
    feeder.feed()
    feeder.close()


def test_offline_two_attempts_hold_every_step_once(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptune", "project": "a/b"})
    write_rows(run_dir, 1, 10)
    feed(run_dir)
    write_rows(run_dir, 8, 15, attempt=2, resumed_from=7)
    feed(run_dir)
    assert logged(run_dir, "train/loss") == [(step, step / 2) for step in range(1, 16)]
    assert logged(run_dir, "val/mse ä") == [(step, -step) for step in range(1, 16)]
    runs = read_json(run_dir.tracker)["trackers"]["neptune-offline"]["runs"]
    assert len(runs) == len(list(run_dir.path.glob(".neptune/offline/*"))) == 2


def test_offline_holds_config_tags_figures_and_checkpoints(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptune"})
    picture = run_dir.plots / "a.png"
    picture.parent.mkdir()
    picture.write_bytes(PNG)
    events = EventWriter(run_dir.events)
    events.figure("val/pca", 10, "a.png")
    events.figure("val/gone", 10, "deleted.png")
    events.text("checkpoints", 10, "epoch=0-step=10.ckpt")
    events.close()
    feed(run_dir)
    assigned = {
        "/".join(operation["path"]): operation.get("value", operation.get("values"))
        for operation in operations(run_dir)
    }
    assert assigned["config/model/chain/0/name"] == "encoder"
    assert assigned["experiment/id"] == "c0ffee1234"
    assert assigned["sys/name"] == "grid 1 ä"
    assert assigned["sys/tags"] == ["vae"]
    assert [step for step, _ in logged(run_dir, "val/pca")] == [10]
    assert logged(run_dir, "val/gone") == []
    assert logged(run_dir, "checkpoints") == [(10, "epoch=0-step=10.ckpt")]


def test_offline_a_series_may_be_called_as_a_folder_of_others(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptune", "project": "a/b"})
    names = ["loss", "loss/train", "val/mse", "val", "config/seed", "experiment", "sys/id", "", "/"]
    for attempt, steps in enumerate((range(1, 4), range(3, 7)), start=1):
        journal = JournalWriter(run_dir.metrics, attempt, 2 if attempt == 2 else None)
        # As they came at first, so they are called in each run.
        for step in steps:
            ordered = names if attempt == 1 else reversed(names)
            journal.append(step, 0, 1000.0 + step, {name: float(step) for name in ordered})
        journal.close()
        feed(run_dir)
    logs = [each for each in operations(run_dir) if each["type"] == "LogFloats"]
    series = {"/".join(each["path"]) for each in logs}
    assert len(series) == len(names)
    assert {"loss", "loss.train-a0caa0d3", "val/mse"} <= series
    for name in series:
        assert [step for step, _ in logged(run_dir, name)] == [1, 2, 3, 4, 5, 6]


def test_offline_files_go_where_neptune_is_told(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPTUNE_DATA_DIRECTORY", str(tmp_path / "elsewhere"))
    describe(run_dir, {"name": "neptune"})
    write_rows(run_dir, 1, 2)
    feed(run_dir)
    assert len(list((tmp_path / "elsewhere" / "offline").iterdir())) == 1
    assert os.environ["NEPTUNE_DATA_DIRECTORY"] == str(tmp_path / "elsewhere")
    assert not (run_dir.path / ".neptune").exists()


def test_offline_an_interrupted_batch_is_found_in_the_files(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptune"})
    write_rows(run_dir, 1, 10)
    feed(run_dir)
    record = read_json(run_dir.tracker)
    state = record["trackers"]["neptune-offline"]
    # As after a death between the tracker's flush and the record of it: 10 are there...
    state["marks"], state["sending"] = {"train/loss": 4}, {"train/loss": 12, "val/mse ä": 12}
    run_dir.tracker.write_text(json.dumps(record))
    # ... but 11 and 12 are not.
    write_rows(run_dir, 11, 12)
    feed(run_dir)
    assert [step for step, _ in logged(run_dir, "train/loss")] == list(range(1, 13))
    assert [step for step, _ in logged(run_dir, "val/mse ä")] == list(range(1, 13))


def test_the_last_step_survives_torn_files(tmp_path: Path) -> None:
    folder = tmp_path / "offline" / "run__abc__1__x"
    folder.mkdir(parents=True)
    series = {"path": ["a", "b"], "values": [{"value": 0.5, "step": 3}, {"value": 1, "step": 9}]}
    lines = [json.dumps({"obj": series, "version": 1}), '{"obj": {"path": ["a", "b"], "val']
    (folder / "data-1.log").write_text("\n".join(lines))
    assert offline_last_step(tmp_path, "abc", "a/b") == 9
    assert offline_last_step(tmp_path, "abc", "a") == -1
    assert offline_last_step(tmp_path, "other", "a/b") == -1


def test_a_killed_training_leaves_no_process_and_no_gap(run_dir: RunDir) -> None:
    describe(run_dir, {"name": "neptune"})
    train = (
        "import sys, time; from pathlib import Path\n"
        "from pcm.run_dir import JournalWriter, RunDir\n"
        "from pcm.tracking.feeding_process import FeedingProcess\n"
        "run_dir = RunDir(Path(sys.argv[1]))\n"
        "journal = JournalWriter(run_dir.metrics, 1, None)\n"
        "feeding = FeedingProcess(run_dir)\n"
        "for step in range(1, 21): journal.append(step, 0, 0.0, {'train/loss': step / 2})\n"
        "print(feeding._process.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    training = subprocess.Popen(
        [sys.executable, "-c", train, str(run_dir.path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NEPTUNE_API_TOKEN": TOKEN, "NEPTUNE_MODE": "offline"},
    )
    assert training.stdout is not None
    feeder = int(training.stdout.readline())
    training.send_signal(signal.SIGKILL)
    training.communicate(timeout=60)
    wait_for_end_of(feeder)
    write_rows(run_dir, 16, 30, attempt=2, resumed_from=15)
    feed(run_dir)
    assert logged(run_dir, "train/loss") == [(step, step / 2) for step in range(1, 31)]
    for path in run_dir.path.rglob("*"):
        assert path.is_dir() or TOKEN not in path.read_text()


def wait_for_end_of(pid: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


class MissingFieldError(Exception):
    """As Neptune's `MissingFieldException`."""


class FakeFile:
    """As Neptune's `File`."""

    def __init__(self, path: str) -> None:
        self.path = path


class FakeRun:
    """A run on a server: keeps what is appended, by key."""

    def __init__(self, run_id: str) -> None:
        self.id = run_id
        self.series: dict[str, list[int]] = {}
        self.fields: dict[str, Any] = {}
        self.pictures: set[str] = set()
        self.key = ""

    def __getitem__(self, key: str) -> "FakeRun":
        self.key = key
        return self

    def fetch(self) -> Any:
        if self.key == "sys/id":
            return self.id
        if self.key not in self.fields:
            raise MissingFieldError
        return self.fields[self.key]

    def exists(self, key: str) -> bool:
        return key in self.fields or key in self.series

    def get_structure(self) -> dict[str, Any]:
        structure: dict[str, Any] = {}
        for key in (*self.fields, *self.series):
            *above, name = key.split("/")
            place = structure
            for part in above:
                place = place.setdefault(part, {})
            place[name] = self.series.get(key, self.fields.get(key))
        return structure

    def fetch_values(self, **_: bool) -> Any:
        if self.key not in self.series:
            raise MissingFieldError
        if self.key in self.pictures:
            raise AttributeError("fetch_values")
        return {"step": np.asarray(self.series[self.key])}

    def assign(self, value: Any) -> None:
        assert not isinstance(value, dict)
        self.fields[self.key] = value

    def add(self, tags: list[str]) -> None:
        assert tags == ["vae"]

    def extend(self, values: list[Any], steps: list[int], timestamps: list[float]) -> None:
        assert len(values) == len(steps) == len(timestamps)
        self.series.setdefault(self.key, []).extend(steps)
        if any(isinstance(value, FakeFile) for value in values):
            self.pictures.add(self.key)

    def wait(self) -> None:
        pass

    def stop(self, seconds: float) -> None:
        assert seconds > 0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A Neptune server with one project; `calls` are the arguments of init_run."""
    runs: dict[str, FakeRun] = {}
    calls: list[dict[str, Any]] = []

    def init_run(**arguments: Any) -> FakeRun:
        calls.append(arguments)
        assert not (arguments.get("with_id") and arguments.get("custom_run_id"))
        # The server knows a run by its custom id, too.
        custom = arguments.get("custom_run_id")
        run_id = arguments.get("with_id") or known.setdefault(custom, f"PCM-{len(runs) + 1}")
        return runs.setdefault(run_id, FakeRun(run_id))

    known: dict[Any, str] = {}
    fake = types.SimpleNamespace(init_run=init_run)
    monkeypatch.setitem(sys.modules, "neptune", fake)
    errors = types.SimpleNamespace(MissingFieldException=MissingFieldError)
    monkeypatch.setitem(sys.modules, "neptune.exceptions", errors)
    monkeypatch.setitem(sys.modules, "neptune.types", types.SimpleNamespace(File=FakeFile))
    monkeypatch.setenv("NEPTUNE_API_TOKEN", TOKEN)
    return {"runs": runs, "calls": calls}


def test_online_all_attempts_are_one_run(run_dir: RunDir, server: dict[str, Any]) -> None:
    describe(run_dir, {"name": "neptune", "project": "me/vaes"})
    write_rows(run_dir, 1, 10)
    feed(run_dir)
    write_rows(run_dir, 8, 15, attempt=2, resumed_from=7)
    feed(run_dir)
    first, second = server["calls"]
    assert (first["custom_run_id"], first["project"]) == ("c0ffee1234", "me/vaes")
    assert second["with_id"] == "PCM-1"
    assert server["runs"]["PCM-1"].series["train/loss"] == list(range(1, 16))


def test_the_client_collects_nothing_by_itself(run_dir: RunDir, server: dict[str, Any]) -> None:
    describe(run_dir, {"name": "neptune", "project": "me/vaes"})
    feed(run_dir)
    (call,) = server["calls"]
    assert {name for name in call if name.startswith("capture_") and call[name] is False} == {
        "capture_stdout",
        "capture_stderr",
        "capture_hardware_metrics",
        "capture_traceback",
    }
    assert call["git_ref"] is False
    assert call["source_files"] == []
    assert TOKEN not in str(call)


def test_what_was_offline_first_goes_online_as_a_whole(
    run_dir: RunDir, server: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(run_dir, {"name": "neptune", "project": "me/vaes"})
    write_rows(run_dir, 1, 10)
    with monkeypatch.context() as patch:
        patch.setenv("NEPTUNE_MODE", "offline")
        patch.delitem(sys.modules, "neptune")
        feed(run_dir)
    feed(run_dir)
    assert server["runs"]["PCM-1"].series["train/loss"] == list(range(1, 11))
    assert logged(run_dir, "train/loss") == [(step, step / 2) for step in range(1, 11)]


def test_online_a_lost_record_is_made_up_for(run_dir: RunDir, server: dict[str, Any]) -> None:
    describe(run_dir, {"name": "neptune", "project": "me/vaes"})
    write_rows(run_dir, 1, 10)
    log_picture(run_dir, 5)
    feed(run_dir)
    run_dir.tracker.unlink()
    write_rows(run_dir, 11, 15)
    log_picture(run_dir, 15)
    feed(run_dir)
    (run,) = server["runs"].values()
    assert run.series["train/loss"] == run.series["val/mse ä"] == list(range(1, 16))
    assert run.series["val/pca"] == [5, 15]


def test_offline_a_lost_record_is_made_up_for(
    run_dir: RunDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPTUNE_DATA_DIRECTORY", str(tmp_path / "shared"))
    record = describe(run_dir, {"name": "neptune"})
    write_rows(run_dir, 1, 10)
    feed(run_dir)
    write_json(run_dir.experiment, {**record, "id": "another0000"})
    run_dir.tracker.unlink()
    feed(run_dir)  # another experiment's, in the same folder
    write_json(run_dir.experiment, record)
    run_dir.tracker.unlink()
    write_rows(run_dir, 11, 15)
    feed(run_dir)
    run_dir.tracker.unlink()
    feed(run_dir)
    # The runs of both experiments have the first ten; ours has all of them once.
    files = (tmp_path / "shared").glob("offline/*/data-*.log")
    ours = [file for file in files if '"value": "c0ffee1234"' in file.read_text()]
    steps = [step for file in ours for step in offline_steps(file, "train/loss")]
    assert sorted(steps) == list(range(1, 16))


def log_picture(run_dir: RunDir, step: int) -> None:
    (run_dir.plots).mkdir(exist_ok=True)
    (run_dir.plots / f"pca-{step}.png").write_bytes(PNG)
    events = EventWriter(run_dir.events)
    events.figure("val/pca", step, f"pca-{step}.png")
    events.close()


def offline_steps(file: Path, key: str) -> Iterator[int]:
    for line in file.read_text().splitlines():
        operation = json.loads(line)["obj"]
        if operation["path"] == key.split("/"):
            yield from (item["step"] for item in operation["values"])


@pytest.mark.parametrize(
    "environment",
    [
        {"NEPTUNE_API_TOKEN": "", "NEPTUNE_PROJECT": "me/vaes"},
        {"NEPTUNE_API_TOKEN": TOKEN},
        {"NEPTUNE_API_TOKEN": TOKEN, "NEPTUNE_PROJECT": "me/vaes", "NEPTUNE_MODE": "offline"},
    ],
)
def test_half_a_configuration_is_offline(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert NeptuneTracker(run_dir, {"id": "x", "tracker": {"name": "neptune"}}).local


def test_the_project_may_come_from_the_environment(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEPTUNE_API_TOKEN", TOKEN)
    monkeypatch.setenv("NEPTUNE_PROJECT", "me/vaes")
    assert not NeptuneTracker(run_dir, {"id": "x", "tracker": {"name": "neptune"}}).local


def test_without_neptune_the_remedy_is_told(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "neptune", None)
    with pytest.raises(RefusedError, match="pcm-launch\\[neptune\\]"):
        NeptuneTracker(run_dir, describe(run_dir, {"name": "neptune"})).open([])


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
"""One black pixel."""
