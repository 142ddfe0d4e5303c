"""Callbacks of a trainer file or a module: in every checkpoint, and none loses a hook."""

import json
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoints import find_fault, read_manifests
from tests.resume.runs import assert_same, assert_same_end, make_run, newest, own, run

DONE, STOPPED = [ExitCode.DONE], [ExitCode.STOPPED]

EARLY_STOPPING: dict[str, Any] = {
    "name": "early_stopping",
    "kwargs": {"monitor": "val_loss", "patience": 2},
}
BEST: dict[str, Any] = {"monitor": "val_loss", "save_top_k": 2, "filename": "{step}"}
CALLBACKS: list[dict[str, Any]] = [
    {"class_path": "own_model.Counting"},
    EARLY_STOPPING,
    {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": BEST},
]


def make(folder: Path, callbacks: list[dict[str, Any]], **config: Any) -> RunDir:
    kwargs = {"max_epochs": 8, "log_every_n_steps": 1}
    trainer = {"callbacks": callbacks, "accelerator": "cpu", "kwargs": kwargs}
    return make_run(folder, trainer=trainer, **config)


def callback_states(run_dir: RunDir) -> dict[str, Any]:
    """Of the newest checkpoint; paths as seen from the run directory."""
    states: dict[str, Any] = newest(run_dir)["callbacks"]
    return {key: _relative(state, str(run_dir.path)) for key, state in states.items()}


def _relative(value: Any, folder: str) -> Any:
    if isinstance(value, dict):
        return {_relative(key, folder): _relative(each, folder) for key, each in value.items()}
    return value.replace(folder, "RUN") if isinstance(value, str) else value


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Ends early, never interrupted."""
    run_dir = make(tmp_path_factory.mktemp("whole") / "run", CALLBACKS)
    assert run(run_dir) == DONE
    return run_dir


def test_early_stopping_ends_training(whole: RunDir) -> None:
    stopping = next(
        state for key, state in callback_states(whole).items() if key.startswith("EarlyStopping")
    )
    assert (stopping["wait_count"], stopping["patience"]) == (2, 2)
    assert newest(whole)["epoch"] < 8


def test_callbacks_go_on_as_if_there_had_been_no_stop(whole: RunDir, tmp_path: Path) -> None:
    broken = make(tmp_path / "run", CALLBACKS)
    for place in ("step 4", "validation 10", "epoch 10", "step 25", "validation 30"):
        assert run(broken, OWN_STOP_AT=place) == STOPPED, place
    assert run(broken) == DONE
    assert_same_end(whole, broken)
    assert_same(callback_states(whole), callback_states(broken), "callbacks")
    ours, theirs = (read_manifests(each.model_checkpoints) for each in (whole, broken))
    assert [each.file for each in ours] == [each.file for each in theirs]


def test_an_average_of_weights_goes_on(tmp_path: Path) -> None:
    average = {"name": "ema_weight_averaging", "kwargs": {"decay": 0.9}}
    runs = [make(tmp_path / name, [average, EARLY_STOPPING]) for name in ("whole", "broken")]
    for place in ("step 13", "epoch 20"):
        assert run(runs[1], OWN_STOP_AT=place) == STOPPED
    for each in runs:
        assert run(each) == DONE
    assert_same_end(*runs)
    one, other = (newest(each)["current_model_state"] for each in runs)
    assert_same(one, other, "weights that are trained on")


def test_files_of_a_model_checkpoint_are_its_own_and_whole(whole: RunDir) -> None:
    folder = whole.model_checkpoints
    manifests = read_manifests(folder)
    assert len(manifests) == BEST["save_top_k"]
    assert [find_fault(folder, each) for each in manifests] == [None, None]
    assert not any(each.reason == "user" for each in read_manifests(whole.checkpoints))


def test_a_kill_before_our_first_checkpoint_leaves_no_start_of_theirs(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    wanted = {"every_n_train_steps": 2, "save_top_k": -1, "dirpath": str(run_dir / "checkpoints")}
    made = make(run_dir, [{"name": "model_checkpoint", "kwargs": wanted}])
    assert run(made, OWN_KILL_AT="step 5") == [-9]
    assert read_manifests(made.checkpoints) == []
    assert len(read_manifests(made.model_checkpoints)) > 0
    told = f"a callback's checkpoints go to {made.model_checkpoints}, not to {wanted['dirpath']}"
    assert told in made.attempt(1).log(0).read_text()
    assert run(made, OWN_STOP_AT="step 3") == STOPPED


def test_callbacks_that_a_module_brings(tmp_path: Path) -> None:
    model = own("Bringing")
    runs = [make(tmp_path / name, [], model=model) for name in ("whole", "broken")]
    assert run(runs[1], OWN_STOP_AT="step 13") == STOPPED
    for each in runs:
        assert run(each) == DONE
    assert_same_end(*runs)
    assert_same(callback_states(runs[0]), callback_states(runs[1]), "callbacks")
    assert "counts" in json.dumps(callback_states(runs[0]), default=str)
