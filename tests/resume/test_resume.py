"""A resumed run is the same run: stopped anywhere, it ends as if it had never stopped."""

from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir, create_json, read_journal, read_json
from pcm.run_dir.checkpoints import read_manifests
from tests.resume.runs import assert_same_end, make_run, own, run, start

DONE, STOPPED = [ExitCode.DONE], [ExitCode.STOPPED]


def stop_and_finish(run_dir: RunDir, places: list[str]) -> list[dict[str, Any]]:
    """Stop at each place in turn, then train to the end; the records of the stops."""
    for place in places:
        assert run(run_dir, OWN_STOP_AT=place) == STOPPED, place
    assert run(run_dir) == DONE
    return [read_json(attempt.stopped) for attempt in run_dir.attempts()[:-1]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """Three epochs of ten steps each, never interrupted."""
    run_dir = make_run(tmp_path_factory.mktemp('whole run\'s "Ordner" é') / "run")
    assert run(run_dir) == DONE
    return run_dir


def test_stops_at_every_kind_of_place(whole: RunDir, tmp_path: Path) -> None:
    broken = make_run(tmp_path / "run")
    places = ["step 1", "step 4", "step 10", "validation 10", "epoch 10", "step 13"]
    stops = stop_and_finish(broken, [*places, "validation 20", "step 29"])
    assert [stop["step"] for stop in stops] == [1, 4, 10, 10, 10, 13, 20, 29]
    assert [stop["epoch"] for stop in stops] == [0, 0, 0, 0, 1, 1, 1, 2]
    assert stops[0] == {
        "checkpoint": "epoch=0-step=1.ckpt",
        "step": 1,
        "epoch": 0,
        "reason": "interrupt",
    }
    assert_same_end(whole, broken)


def test_stop_after_the_last_step_redoes_only_the_validation(whole: RunDir, tmp_path: Path) -> None:
    broken = make_run(tmp_path / "run")
    stops = stop_and_finish(broken, ["step 30"])
    assert stops[0]["checkpoint"] == "epoch=2-step=30-validation.ckpt"
    assert_same_end(whole, broken)


def test_stop_after_the_last_validation_just_finishes(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="epoch 30") == DONE
    assert not run_dir.attempt(1).stopped.exists()
    assert_same_end(whole, run_dir)


def test_an_attempt_after_the_end_finishes_at_once(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir) == DONE
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_stop_before_the_first_step(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    run_dir.attempt(1).path.mkdir(parents=True)
    create_json(run_dir.attempt(1).stop, {"by": "test", "reason": "cancel"})
    assert start(run_dir, number=1).wait() == STOPPED
    stopped = {"checkpoint": None, "step": 0, "epoch": 0, "reason": "cancel"}
    assert read_json(run_dir.attempt(1).stopped) == stopped
    assert not run_dir.metrics.exists()
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_killed_run_loses_only_what_came_after_its_checkpoint(
    whole: RunDir, tmp_path: Path
) -> None:
    broken = make_run(tmp_path / "run")
    assert run(broken, OWN_KILL_AT="step 7") == [-9]
    assert run(broken, OWN_KILL_AT="step 17") == [-9]
    assert run(broken, OWN_KILL_AT="validation 20") == [-9]
    assert read_manifests(broken.checkpoints)[0].step == 10
    assert run(broken) == DONE
    assert_same_end(whole, broken)


def test_manual_optimization_with_an_own_generator(tmp_path: Path) -> None:
    config = {"model": own("Manual"), "data_train": own("Data", own_generator=True)}
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken) == DONE
    stop_and_finish(broken, ["step 7", "step 20", "step 21"])
    assert_same_end(unbroken, broken)


def test_worker_processes_replay_the_same_batches(tmp_path: Path) -> None:
    config = {"data_train": own("Data", workers=1), "kwargs": {"max_epochs": 1}}
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken) == DONE
    stop_and_finish(broken, ["step 6"])
    assert_same_end(unbroken, broken)


@pytest.mark.parametrize(
    ("kwargs", "places"),
    [
        ({"val_check_interval": 0.5}, ["step 4", "validation 5", "step 6", "step 10", "step 15"]),
        ({"check_val_every_n_epoch": 2}, ["step 10", "step 12", "validation 20"]),
        ({"accumulate_grad_batches": 3}, ["step 4", "step 10", "step 17"]),
        ({"limit_train_batches": 7, "limit_val_batches": 2}, ["step 3", "step 7", "step 14"]),
        ({"max_steps": 25}, ["step 5", "epoch 10", "step 24"]),
        ({"num_sanity_val_steps": 2, "gradient_clip_val": 0.5}, ["step 9", "validation 10"]),
    ],
    ids=str,
)
def test_trainer_kwargs(kwargs: dict[str, Any], places: list[str], tmp_path: Path) -> None:
    unbroken, broken = (make_run(tmp_path / name, kwargs=kwargs) for name in ("a", "b"))
    assert run(unbroken) == DONE
    stop_and_finish(broken, places)
    assert_same_end(unbroken, broken)


def test_two_ranks_stop_at_one_step(tmp_path: Path) -> None:
    config = {"model": own("Manual"), "world_size": 2, "kwargs": {"max_epochs": 4}}
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken, 2) == DONE * 2
    for place in ("step 2", "epoch 10"):
        assert run(broken, 2, OWN_STOP_AT=place) == STOPPED * 2, place
    assert run(broken, 2, OWN_KILL_AT="step 14")[0] == -9
    assert run(broken, 2) == DONE * 2
    assert_same_end(unbroken, broken)
    rows = read_journal(unbroken.metrics)
    assert rows[-1].step == 20, "each rank's share of an epoch is five batches"


def test_options_of_ddp_leave_a_resume_exact(tmp_path: Path) -> None:
    path = "lightning.pytorch.strategies.DDPStrategy"
    options = {"gradient_as_bucket_view": True, "bucket_cap_mb": 1, "broadcast_buffers": False}
    strategy = {"class_path": path, "init_args": options}
    config = {"model": own("Manual"), "world_size": 2}
    config["kwargs"] = {"max_epochs": 2, "strategy": strategy}
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken, 2) == DONE * 2
    assert run(broken, 2, OWN_STOP_AT="step 3") == STOPPED * 2
    assert run(broken, 2) == DONE * 2
    assert_same_end(unbroken, broken)


def test_three_ranks_add_up_gradients_in_one_order(tmp_path: Path) -> None:
    config = {
        "model": own("Manual"),
        "data_train": own("Data", size=72),
        "world_size": 3,
        "kwargs": {"max_epochs": 2},
    }
    unbroken, broken = (make_run(tmp_path / name, **config) for name in ("a", "b"))
    assert run(unbroken, 3) == DONE * 3
    assert run(broken, 3, OWN_STOP_AT="step 2") == STOPPED * 3
    assert run(broken, 3) == DONE * 3
    assert_same_end(unbroken, broken)


def test_checkpoints_by_the_clock(whole: RunDir, tmp_path: Path) -> None:
    broken = make_run(tmp_path / "run")
    assert run(broken, PCM_CHECKPOINT_MINUTES="1e-9", OWN_KILL_AT="step 6") == [-9]
    newest = read_manifests(broken.checkpoints)[0]
    assert newest.reason == "interval"
    assert newest.step in (4, 5), "only what was in flight may be lost"
    assert run(broken) == DONE
    assert_same_end(whole, broken)
