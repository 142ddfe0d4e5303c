"""Finders look once and leave no trace: training goes on as if its config had had their values."""

from pathlib import Path
from typing import Any

import pytest

from launch.store.records import found_values
from pcm.errors import ExitCode
from pcm.run_dir import RunDir, read_json
from pcm.run_dir.found import FoundRecord
from tests.resume.compositions import own
from tests.resume.in_process import train
from tests.resume.runs import assert_same, assert_same_end, make_run, newest, run

RATE: dict[str, Any] = {
    "class_path": "lightning.pytorch.callbacks.LearningRateFinder",
    "init_args": {"num_training_steps": 15, "max_lr": 0.1, "early_stop_threshold": None},
}
SIZE: dict[str, Any] = {"name": "batch_size_finder", "kwargs": {"max_val": 8}}


def make(
    folder: Path,
    *callbacks: dict[str, Any],
    model: dict[str, Any] | None = None,
    data: dict[str, Any] | None = None,
    world_size: int = 1,
) -> RunDir:
    return make_run(
        folder,
        model=model or own("own_finders.Rated"),
        data_train=data or own("own_finders.Sized"),
        callbacks=[*callbacks, own("own_model.Counting")],
        world_size=world_size,
    )


def names_in(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def found(run_dir: RunDir) -> dict[str, Any]:
    record: dict[str, Any] | None = read_json(run_dir.found)
    assert record is not None
    return record


def assert_same_run(one: RunDir, other: RunDir) -> None:
    assert_same_end(one, other)
    for part in ("callbacks", "optimizer_states", "lr_schedulers"):
        assert_same(newest(one)[part], newest(other)[part], part)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Looks for both, and is never interrupted."""
    run_dir = make(tmp_path_factory.mktemp("whole") / "run", SIZE, RATE)
    assert train(run_dir) == ExitCode.DONE
    return run_dir


def test_both_are_found_and_trained_with(whole: RunDir) -> None:
    record, finished = found(whole), read_json(whole.attempt(1).finished)
    metrics = (finished or {})["metrics"]
    assert record["batch_size"] == {"batch_size": 8}
    assert 1e-8 < record["learning_rate"]["lr"] < 0.1
    assert metrics["size"] == 8
    assert metrics["rate"] == pytest.approx(record["learning_rate"]["lr"])
    # Schedulers too begin with it: one that was made earlier would set the old rate again.
    assert newest(whole)["lr_schedulers"][0]["base_lrs"] == [record["learning_rate"]["lr"]]


def test_a_search_leaves_no_trace(whole: RunDir, tmp_path: Path) -> None:
    told = make(
        tmp_path / "run",
        model=own("own_finders.Rated", **found(whole)["learning_rate"]),
        data=own("own_finders.Sized", **found(whole)["batch_size"]),
    )
    assert train(told) == ExitCode.DONE
    assert_same_run(whole, told)
    assert names_in(whole.path) == {*names_in(told.path), "found.json"}
    assert names_in(whole.checkpoints) == names_in(told.checkpoints)


def test_later_attempts_look_no_more(whole: RunDir, tmp_path: Path) -> None:
    broken = make(tmp_path / "run", SIZE, RATE)
    for stop in ("step 3", "validation 5", "step 7", "epoch 10"):
        assert train(broken, stop, OWN_AFTER=str(broken.found)) == ExitCode.STOPPED, stop
        assert found(broken) == found(whole)
    assert train(broken) == ExitCode.DONE
    assert_same_run(whole, broken)


def test_a_stop_inside_a_search_starts_it_over(whole: RunDir, tmp_path: Path) -> None:
    broken = make(tmp_path / "run", SIZE, RATE)
    assert train(broken, "search 7") == ExitCode.STOPPED
    assert not broken.found.exists()
    assert run(broken, OWN_KILL_AT="search 9") == [-9]
    assert not [each for each in names_in(broken.path) if each.startswith(".")]
    assert train(broken) == ExitCode.DONE
    assert found(broken) == {**found(whole), "attempt": 3}
    assert_same_run(whole, broken)


def test_those_that_a_module_brings(tmp_path: Path) -> None:
    runs = [
        make(tmp_path / name, model=own("own_finders.Bringing")) for name in ("whole", "broken")
    ]
    assert train(runs[1], "step 7", OWN_AFTER=str(runs[1].found)) == ExitCode.STOPPED
    for each in runs:
        assert train(each) == ExitCode.DONE
    assert {"batch_size", "lr"} == {*found(runs[0])["batch_size"], *found(runs[0])["learning_rate"]}
    assert_same_run(*runs)


def test_two_ranks_find_one_rate(tmp_path: Path) -> None:
    runs = [make(tmp_path / name, RATE, world_size=2) for name in ("whole", "broken")]
    assert run(runs[1], 2, OWN_STOP_AT="search 5") == [ExitCode.STOPPED] * 2
    assert (
        run(runs[1], 2, OWN_STOP_AT="step 3", OWN_AFTER=str(runs[1].found))
        == [ExitCode.STOPPED] * 2
    )
    for each in runs:
        assert run(each, 2) == [ExitCode.DONE] * 2
    assert_same_run(*runs)


@pytest.mark.parametrize(
    ("callback", "config", "words"),
    [
        (own("own_finders.Later"), {}, "Later looks in hooks of its own (on_fit_start, on_train_"),
        (RATE, {"model": own("own_model.Automatic")}, "a finder looks for `lr`"),
        (RATE, {"model": own("own_model.Manual")}, "a module steps its optimizers itself"),
        (SIZE, {"data": own("own_model.Data")}, "Field batch_size not found"),
    ],
)
def test_what_cannot_be_looked_for(
    callback: dict[str, Any],
    config: dict[str, Any],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_dir = make(tmp_path / "run", callback, **config)
    assert train(run_dir) == ExitCode.CONFIG_INVALID
    assert words in capsys.readouterr().err
    assert not run_dir.found.exists()


def test_what_was_found_and_is_gone_is_not_looked_for_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = make(tmp_path / "run", RATE)
    assert train(run_dir, "step 3", OWN_AFTER=str(run_dir.found)) == ExitCode.STOPPED
    run_dir.found.unlink()
    assert train(run_dir) == ExitCode.EXPERIMENT_FAILED
    assert f"{run_dir.found} is gone" in capsys.readouterr().err


def test_what_was_found_is_shown(whole: RunDir) -> None:
    values = found_values(whole)
    assert values == {**found(whole)["learning_rate"], **found(whole)["batch_size"]}
    assert str(FoundRecord(1, {"lr": 0.25}, {"batch_size": 8})) == "lr = 0.25, batch_size = 8"
