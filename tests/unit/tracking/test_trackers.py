"""Every built-in tracker with its real client and a real local store, read back after kills."""

import json
import os
import shutil
import threading
from collections import defaultdict
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import RefusedError
from pcm.run_dir import JournalWriter, RunDir, read_json, write_json
from pcm.tracking.conformance import Steps, check_tracker
from pcm.tracking.events import EventWriter
from pcm.tracking.feeder import Feeder
from pcm.tracking.follow import follow, sync_run
from pcm.tracking.mlflow_limits import batches
from pcm.tracking.mlflow_tracker import MlflowTracker
from pcm.tracking.outcome import Outcome
from pcm.tracking.tensorboard_tracker import TensorBoardTracker
from pcm.tracking.tracker import Tracker
from pcm.tracking.wandb_files import last_steps, wait_for_writers
from pcm.tracking.wandb_tracker import WandbTracker
from tests.unit.tracking.conftest import describe, write_look, write_rows
from tests.unit.tracking.test_neptune import PNG


@pytest.fixture(autouse=True)
def no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("WANDB_", "MLFLOW_", "NEPTUNE_")):
            monkeypatch.delenv(name)


def tensorboard_events(run_dir: RunDir) -> list[Any]:
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    files = sorted((run_dir.path / "tensorboard").iterdir())
    return [event for file in files for event in EventFileLoader(str(file)).Load()]


def tensorboard_steps(run_dir: RunDir) -> Sequence[Steps]:
    steps: defaultdict[str, list[int]] = defaultdict(list)
    for event in tensorboard_events(run_dir):
        for value in event.summary.value:
            steps[value.tag].append(event.step)
    return [steps]


def test_tensorboard_holds_every_step_once(tmp_path: Path) -> None:
    run_dir = check_tracker("tensorboard", tmp_path, tensorboard_steps)
    assert len(list((run_dir.path / "tensorboard").glob("*tfevents.1*"))) == 1
    assert tensorboard_steps(run_dir)[0]["checkpoints"] == [40, 73, 106]


@pytest.fixture
def mlflow_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "store").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow import MlflowClient

    return MlflowClient()


def test_mlflow_holds_every_step_once(tmp_path: Path, mlflow_store: Any) -> None:
    def runs() -> Any:
        (experiment,) = mlflow_store.search_experiments(filter_string="name = 'a-sweep'")
        return mlflow_store.search_runs([experiment.experiment_id])

    def steps(run_dir: RunDir) -> Sequence[Steps]:
        return [
            {
                key: [point.step for point in mlflow_store.get_metric_history(run.info.run_id, key)]
                for key in run.data.metrics
            }
            for run in runs()
        ]

    check_tracker("mlflow", tmp_path, steps)
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "a run"
    assert run.data.tags["pcm_id"] == "c0ffee1234"
    assert run.data.tags["pcm_tags"] == "one, two"
    assert run.data.tags["checkpoints.step-106"] == "step=106.ckpt"
    assert run.data.params["config/model/chain/0/name"] == "encoder"


def test_wandb_offline_holds_every_step_once(tmp_path: Path) -> None:
    from pcm.tracking.wandb_files import read_rows

    def steps(run_dir: RunDir) -> Sequence[Steps]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for file in sorted(run_dir.path.glob(".wandb/wandb/offline-run-*/run-c0ffee1234.wandb")):
            for row in read_rows(file):
                for key in row:
                    found[key].append(row["trainer/global_step"])
        return [found]

    check_tracker("wandb", tmp_path, steps)


def feed(run_dir: RunDir, tracker: Tracker, outcome: Outcome) -> None:
    feeder = Feeder(run_dir, tracker)
    feeder.feed()
    feeder.finish(outcome)
    feeder.close()


def with_picture(run_dir: RunDir) -> RunDir:
    picture = run_dir.plots / "val" / "pca-step=5.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(PNG)
    events = EventWriter(run_dir.events)
    events.figure("val/pca", 5, "val/pca-step=5.png")
    events.figure("val/gone", 5, "val/gone-step=5.png")
    events.close()
    return run_dir


def test_mlflow_shows_how_training_stands(run_dir: RunDir, mlflow_store: Any) -> None:
    record = describe(run_dir, {"name": "mlflow", "project": "vaes"})

    def status(outcome: Outcome) -> str:
        tracker = MlflowTracker(run_dir, record)
        feed(run_dir, tracker, outcome)
        (run_id,) = read_json(run_dir.tracker)["trackers"][tracker.slot]["runs"]
        return str(mlflow_store.get_run(run_id).info.status)

    write_rows(run_dir, 1, 5)
    outcomes = [Outcome.RUNNING, Outcome.STOPPED, Outcome.RUNNING, Outcome.FAILED, Outcome.DONE]
    assert [status(outcome) for outcome in outcomes] == [
        "RUNNING",
        "KILLED",
        "RUNNING",
        "FAILED",
        "FINISHED",
    ]


def test_mlflow_takes_any_name_and_pictures(run_dir: RunDir, mlflow_store: Any) -> None:
    record = describe(with_picture(run_dir), {"name": "mlflow", "project": "vaes"})
    journal = JournalWriter(run_dir.metrics, 1, None)
    names = ["", " ", "a/../b", "b", "loss (x) ä", "loss [x] ä", "//c", "x" * 300, "x" * 301]
    # A store in files has no place for a file and a folder of one name.
    names += ["loss/train", "loss", "b/c", "b/c/d/e", "ä" * 150]
    journal.append(3, 0, 0.0, dict.fromkeys(names, 1.0))
    journal.close()
    tracker = MlflowTracker(run_dir, record)
    feed(run_dir, tracker, Outcome.DONE)
    (run_id,) = read_json(run_dir.tracker)["trackers"][tracker.slot]["runs"]
    assert len(mlflow_store.get_run(run_id).data.metrics) == len(names)
    artifacts = mlflow_store.list_artifacts(run_id, "plots/val")
    assert [artifact.path for artifact in artifacts] == ["plots/val/pca-step=5.png"]


def test_mlflow_says_what_became_of_a_deleted_run(run_dir: RunDir, mlflow_store: Any) -> None:
    record = describe(run_dir, {"name": "mlflow", "project": "vaes"})
    write_rows(run_dir, 1, 5)

    def feed_it() -> str:
        tracker = MlflowTracker(run_dir, record)
        feed(run_dir, tracker, Outcome.DONE)
        return str(read_json(run_dir.tracker)["trackers"][tracker.slot]["runs"][-1])

    def in_trash(run: str) -> Path:
        return next(run_dir.path.parent.glob(f"store/*/{run}"))

    run = feed_it()
    mlflow_store.delete_run(run)
    with pytest.raises(RefusedError, match="deleted in MLflow"):
        feed_it()
    mlflow_store.restore_run(run)
    assert feed_it() == run
    # As `mlflow gc` does; then another run has all of it.
    shutil.rmtree(in_trash(run))
    other = feed_it()
    assert other != run
    write_rows(run_dir, 6, 7)
    assert feed_it() == other
    history = mlflow_store.get_metric_history(other, "train/loss")
    assert [each.step for each in history] == [1, 2, 3, 4, 5, 6, 7]
    mlflow_store.delete_experiment(mlflow_store.get_experiment_by_name("vaes").experiment_id)
    run_dir.tracker.unlink()
    with pytest.raises(RefusedError, match="'vaes' was deleted"):
        feed_it()


def test_mlflow_gets_no_more_at_once_than_it_takes() -> None:
    params = ["ü" * 6000] * 40
    asked = [[json.dumps(each) for each in batch] for batch in batches(params, 100, str)]
    assert sum(map(len, asked)) == 40
    assert max(len("".join(batch)) for batch in asked) < 1_000_000
    assert [len(batch) for batch in batches("abcdefg", 3, str)] == [3, 3, 1]
    # One that is too much by itself is the server's to refuse.
    assert list(batches(["x" * 999_999], 3, str)) == [["x" * 999_999]]
    assert list(batches([], 3, str)) == []


def test_mlflow_without_a_place_is_refused(run_dir: RunDir) -> None:
    describe(run_dir, "mlflow")
    ended = threading.Event()
    ended.set()
    warnings: list[str] = []
    follow(run_dir, ended, warnings.append)
    assert len(warnings) == 1
    assert "MLFLOW_TRACKING_URI is not set" in warnings[0]
    with pytest.raises(RefusedError, match="MLFLOW_TRACKING_URI"):
        sync_run(run_dir)


def test_no_job_writes_to_a_store_of_one_writer(run_dir: RunDir, mlflow_store: Any) -> None:
    describe(run_dir, "mlflow")
    write_rows(run_dir, 1, 5)
    ended = threading.Event()
    ended.set()
    warnings: list[str] = []
    follow(run_dir, ended, warnings.append)
    assert len(warnings) == 1
    assert "one writer" in warnings[0]
    assert mlflow_store.search_experiments(filter_string="name = 'pcm'") == []
    assert sync_run(run_dir) == 10


def test_tensorboard_shows_pictures_and_config(run_dir: RunDir) -> None:
    write_json(
        run_dir.experiment, {"id": "c0ffee1234", "tags": ["vae"], "overrides": {"model.lr": 0.1}}
    )
    feed(with_picture(run_dir), TensorBoardTracker(run_dir, {"id": "x"}), Outcome.DONE)
    shown = {
        value.tag: (event, value)
        for event in tensorboard_events(run_dir)
        for value in event.summary.value
    }
    event, picture = shown["val/pca"]
    assert (event.step, picture.tensor.string_val[2]) == (5, PNG)
    assert b"| config/model/chain/0/name | encoder |" in shown["config"][1].tensor.string_val[0]
    assert shown["tags"][1].tensor.string_val[0] == b"vae"
    assert "val/gone" not in shown
    assert any("hparams" in tag for tag in shown)


def test_tensorboard_gets_again_what_was_deleted(run_dir: RunDir) -> None:
    write_rows(run_dir, 1, 5)
    for _ in range(2):
        feed(run_dir, TensorBoardTracker(run_dir, {"id": "x"}), Outcome.RUNNING)
    shutil.rmtree(run_dir.path / "tensorboard")
    write_rows(run_dir, 6, 7)
    for _ in range(2):
        feed(run_dir, TensorBoardTracker(run_dir, {"id": "x"}), Outcome.DONE)
    assert tensorboard_steps(run_dir)[0]["train/loss"] == [1, 2, 3, 4, 5, 6, 7]


def test_the_machine_has_a_place_of_its_own(run_dir: RunDir, mlflow_store: Any) -> None:
    record = describe(run_dir, {"name": "mlflow", "project": "vaes"})
    # Nobody has looked yet; then one attempt, fed twice, and another.
    for attempt, when in ((1, 1000.0), (1, 1030.0), (1, 1030.0), (2, 1100.0)):
        write_look(run_dir, attempt, when, gpu_percent=when / 100)
        write_look(run_dir, attempt, when, rank=1)
        tracker = MlflowTracker(run_dir, record)
        feed(run_dir, tracker, Outcome.RUNNING)
        feed(run_dir, TensorBoardTracker(run_dir, {"id": "x"}), Outcome.RUNNING)
    (run_id,) = read_json(run_dir.tracker)["trackers"][tracker.slot]["runs"]
    history = mlflow_store.get_metric_history(run_id, "system/gpu_0_utilization")
    assert [(each.step, each.timestamp, each.value) for each in history] == [
        (30, 1_000_000, 10.0),
        (60, 1_030_000, 10.3),
        (130, 1_100_000, 11.0),
    ]
    names = {f"system/rank_{rank}_{figure}" for rank in (0, 1) for figure in ("cores", "memory_mb")}
    assert set(mlflow_store.get_run(run_id).data.metrics) == names | {"system/gpu_0_utilization"}
    shown = tensorboard_steps(run_dir)[0]
    assert shown["system/rank_1_cores"] == [30, 60, 130]
    assert not run_dir.metrics.exists()


def test_wandb_sends_nothing_twice_where_its_server_does_not_tell(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 2 + "01234567")
    tracker = WandbTracker(run_dir, {"id": "c0ffee1234"})

    def fail(_key: str) -> int:
        raise ConnectionError("no answer")

    monkeypatch.setattr(tracker, "_ask_server", fail)
    # A batch that was cut short counts as sent; of a run that is only found, nothing is known.
    assert tracker.last_step("val/loss", otherwise=7) == 7
    with pytest.raises(ConnectionError):
        tracker.last_step("val/loss", otherwise=-1)


def test_wandb_keeps_pictures_and_no_secret(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "0123456789abcdef" * 2 + "01234567")
    monkeypatch.setenv("WANDB_MODE", "offline")
    record = describe(with_picture(run_dir), {"name": "wandb", "project": "team/vaes"})
    write_json(run_dir.experiment, record | {"tags": ["vae", "", "x" * 65, "x" * 66]})
    write_rows(run_dir, 1, 5)
    write_look(run_dir, 1, 1000.0, gpu_percent=80.0)
    feed(run_dir, WandbTracker(run_dir, record), Outcome.DONE)
    client_files = list(run_dir.path.glob(".wandb/wandb/offline-run-*/run-c0ffee1234.wandb"))
    wait_for_writers(client_files)
    # Apart from the steps of training, on an axis of its own.
    steps = last_steps(client_files)
    assert (steps["system/gpu_0_utilization"], steps["system/seconds"]) == (30, 30)
    assert (steps["train/loss"], steps["trainer/global_step"]) == (5, 5)
    # A text's length stands before it, as 64 does here; the whole list is among the fields, too.
    assert b"@" + b"x" * 64 in client_files[0].read_bytes()
    files = [path.read_bytes() for path in run_dir.path.rglob("*") if path.is_file()]
    assert sum(text == PNG for text in files) == 2  # pcm's own and the client's
    assert not any(b"0123456789abcdef" in text for text in files)


def test_an_mlflow_server_that_is_down_is_not_asked_for_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.exceptions import MlflowException

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    asked: list[str] = []

    class Down(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Down) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        tracker = MlflowTracker(RunDir(tmp_path), {"id": "a", "name": "b", "sweep": "c"})
        with pytest.raises(MlflowException):
            tracker.open([])
        server.shutdown()
    assert len(asked) == 3
