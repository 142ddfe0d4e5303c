"""`after_fit: test`, and what else a trainer file may ask of Lightning."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir, read_journal, read_json
from tests.resume import compositions
from tests.resume.compositions import Config
from tests.resume.in_process import train_whole_and_broken
from tests.resume.runs import assert_same_end, make_run, own, run

DONE, STOPPED = [ExitCode.DONE], [ExitCode.STOPPED]


def make(folder: Path, model: str = "Tested", **changes: Any) -> RunDir:
    kwargs = {"max_epochs": 1, "log_every_n_steps": 1} | changes.pop("kwargs", {})
    trainer = {"callbacks": [], "accelerator": "cpu", "kwargs": kwargs, "after_fit": "test"}
    return make_run(folder, model=own(model), trainer=trainer | changes)


def test_a_test_after_training_and_once_more_after_a_stop_in_it(tmp_path: Path) -> None:
    whole, broken = make(tmp_path / "whole"), make(tmp_path / "broken")
    assert run(whole) == DONE
    assert run(broken, OWN_STOP_AT="test 1") == STOPPED
    assert read_json(broken.attempt(1).stopped)["step"] == 10
    assert run(broken) == DONE
    metrics = read_json(whole.attempt(1).finished)["metrics"]
    assert {"test_loss", "val_loss"} <= metrics.keys()
    tested = [row for row in read_journal(whole.metrics) if "test_loss" in row.values]
    assert [row.step for row in tested] == [10]
    assert read_json(broken.attempt(2).finished)["metrics"].keys() == metrics.keys()


@pytest.mark.parametrize(
    "callback",
    [
        compositions.own("own_odd.Halving"),
        {"name": "ema_weight_averaging", "kwargs": {"decay": 0.8}},
        {
            "name": "stochastic_weight_averaging",
            "kwargs": {"swa_lrs": 0.02, "swa_epoch_start": 1, "annealing_epochs": 2},
        },
    ],
    ids=["halving", "ema", "stochastic"],
)
def test_a_stop_in_the_test_changes_none_of_its_metrics(tmp_path: Path, callback: Config) -> None:
    config = {
        "model": compositions.own(
            "own_mixes.Mixed", parts=["swapped"], optimizer="adam", scheduler="none"
        ),
        "data_train": compositions.own("own_mixes.MixedData", noisy=True),
        "kwargs": {"max_epochs": 2, "log_every_n_steps": 1},
        "callbacks": [callback],
        "after_fit": "test",
    }
    whole, broken = train_whole_and_broken(tmp_path, ["test 1", "test 1"], **config)
    assert_same_end(whole, broken)


def test_a_model_without_a_test_is_refused_before_training(tmp_path: Path) -> None:
    run_dir = make(tmp_path / "run", "Automatic")
    assert run(run_dir) == [ExitCode.CONFIG_INVALID]
    assert "the model has no `test_step`" in run_dir.attempt(1).log(0).read_text()
    assert not run_dir.checkpoints.exists()


@pytest.mark.parametrize(
    "kwargs",
    [
        {"overfit_batches": 3, "max_epochs": 2},
        {"max_time": "01:00:00:00", "profiler": "simple", "max_epochs": 2},
    ],
    ids=["overfit_batches", "max_time and profiler"],
)
def test_wishes_of_lightnings_are_resumed_exactly(tmp_path: Path, kwargs: dict[str, Any]) -> None:
    runs = [make(tmp_path / name, after_fit=None, kwargs=kwargs) for name in ("whole", "broken")]
    assert run(runs[1], OWN_STOP_AT="step 2") == STOPPED
    for each in runs:
        assert run(each) == DONE
    assert_same_end(*runs)
    if "profiler" in kwargs:
        assert [path.suffix for path in runs[0].attempt(1).profile.iterdir()] == [".txt"]


def test_validation_by_the_clock(tmp_path: Path) -> None:
    kwargs = {"val_check_interval": {"microseconds": 1}, "max_epochs": 1}
    run_dir = make(tmp_path / "run", after_fit=None, kwargs=kwargs)
    assert run(run_dir, OWN_STOP_AT="step 4") == STOPPED
    assert run(run_dir) == DONE
    validated = [row.step for row in read_journal(run_dir.metrics) if "val_loss" in row.values]
    assert validated == list(range(1, 11))
