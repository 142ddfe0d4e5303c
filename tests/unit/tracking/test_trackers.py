"""Every built-in tracker with its real client and a real local store, read back after kills."""

import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import RunDir
from pcm.tracking.conformance import Steps, check_tracker


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
