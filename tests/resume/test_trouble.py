"""Broken checkpoints, full disks, failing ranks, impossible requests."""

import os
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import SCHEMA_VERSION, RunDir, read_json, write_json
from pcm.run_dir.checkpointing import Checkpointing, Mode, freeze_checkpointing
from pcm.run_dir.checkpoints import read_manifests
from tests.resume.runs import assert_same_end, make_run, newest, own, run, start

DONE, STOPPED, FAILED = [ExitCode.DONE], [ExitCode.STOPPED], [ExitCode.EXPERIMENT_FAILED]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    run_dir = make_run(tmp_path_factory.mktemp("whole") / "run")
    assert run(run_dir) == DONE
    return run_dir


def break_newest(run_dir: RunDir, how: str) -> str:
    path = run_dir.checkpoints / read_manifests(run_dir.checkpoints)[0].file
    content = bytearray(path.read_bytes())
    if how == "flipped":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif how == "truncated":
        os.truncate(path, len(content) // 2)
    else:
        path.unlink()
    return path.name


@pytest.mark.parametrize("how", ["flipped", "truncated", "gone"])
def test_a_broken_checkpoint_is_passed_over(whole: RunDir, tmp_path: Path, how: str) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 14") == STOPPED
    name = break_newest(run_dir, how)
    attempt = start(run_dir)
    assert attempt.wait() == DONE
    assert f"{name} is not whole" in attempt.log()
    assert_same_end(whole, run_dir)


def test_a_torn_manifest_is_passed_over(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 14") == STOPPED
    manifest = run_dir.checkpoints / "epoch=1-step=14.ckpt.json"
    manifest.write_text(manifest.read_text()[:40])
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_without_any_whole_checkpoint_training_starts_again(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 4") == STOPPED
    break_newest(run_dir, "truncated")
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_a_full_disk_leaves_the_checkpoint_before(whole: RunDir, tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 4") == STOPPED
    attempt = start(run_dir, OWN_FILE_LIMIT="20000", OWN_STOP_AT="step 14")
    assert attempt.wait() == STOPPED
    assert "could not be written" in attempt.log()
    assert read_json(run_dir.attempt(2).stopped)["checkpoint"] == "epoch=0-step=4.ckpt"
    left = sorted(path.name for path in run_dir.checkpoints.iterdir())
    assert left == ["epoch=0-step=4.ckpt", "epoch=0-step=4.ckpt.json"]
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_old_checkpoints_go_and_the_best_stays(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run", kwargs={"max_epochs": 8})
    assert run(run_dir) == DONE
    kept = read_manifests(run_dir.checkpoints)
    files = {path.name for path in run_dir.checkpoints.iterdir()}
    assert files == {name for each in kept for name in (each.file, f"{each.file}.json")}
    assert [each.step for each in kept[:2]] == [80, 70]
    losses = [row.values["val_loss"] for row in _validations(run_dir)]
    assert min(each.metrics["val_loss"] for each in kept) == min(losses)
    assert len(kept) <= 3


def test_a_run_keeps_what_its_files_ask_for(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run", kwargs={"max_epochs": 4})
    wanted = Checkpointing(1e-9, keep=1, monitor="val_loss", mode=Mode.MAX, keep_best=2)
    freeze_checkpointing(run_dir, wanted)
    assert run(run_dir) == DONE
    losses = sorted(row.values["val_loss"] for row in _validations(run_dir))
    kept = read_manifests(run_dir.checkpoints)
    assert kept[0].step == 40
    best = sorted(each.metrics["val_loss"] for each in kept if "val_loss" in each.metrics)
    assert best[-2:] == losses[-2:]
    assert len(kept) <= 3
    assert "epoch=0-step=5.ckpt" in run_dir.events.read_text()
    greatest = max(_validations(run_dir), key=lambda row: row.values["val_loss"])
    assert run(run_dir, checkpoint="best") == DONE
    assert f'"resumed_from_step": {greatest.step}' in run_dir.metrics.read_text()


def _validations(run_dir: RunDir) -> list[Any]:
    from pcm.run_dir import read_journal

    return [row for row in read_journal(run_dir.metrics) if "val_loss" in row.values]


@pytest.mark.parametrize(
    "name", ["epoch=0-step=10.ckpt", "epoch=0-step-10.ckpt", "epoch=0-step=10"]
)
def test_going_back_to_a_named_checkpoint(whole: RunDir, tmp_path: Path, name: str) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 14") == STOPPED
    assert run(run_dir, checkpoint=name, OWN_STOP_AT="step 12") == STOPPED
    # The second attempt went back: its checkpoint is the newest, though not the furthest.
    assert read_manifests(run_dir.checkpoints)[0].step == 12
    assert run(run_dir) == DONE
    assert_same_end(whole, run_dir)


def test_gpus_that_were_asked_for_and_are_not_seen(tmp_path: Path) -> None:
    trainer: dict[str, Any] = {"callbacks": [], "accelerator": "auto", "kwargs": {}}
    run_dir = make_run(tmp_path / "run", trainer=trainer)
    assert run(run_dir, CUDA_VISIBLE_DEVICES="", PCM_GPUS_ASKED="2") == [ExitCode.REFUSED]
    error = read_json(run_dir.attempt(1).error(0))
    assert error["type"] == "RefusedError"
    assert "2 asked for, 0 seen" in error["message"]


def test_a_run_directory_of_a_newer_pcm(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    newer = read_json(run_dir.experiment) | {"schema_version": SCHEMA_VERSION + 1}
    write_json(run_dir.experiment, newer)
    assert run(run_dir) == [ExitCode.REFUSED]
    assert "made by a newer pcm" in read_json(run_dir.attempt(1).error(0))["message"]


def test_a_checkpoint_that_is_not_there(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    for name in ("best", "last", "epoch=7-step=7.ckpt"):
        attempt = start(run_dir, checkpoint=name)
        assert attempt.wait() == [ExitCode.NOT_FOUND], name
        assert "no checkpoint" in attempt.log()
        assert "Traceback" not in attempt.log()


def test_a_named_checkpoint_that_is_broken_is_an_error(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="step 4") == STOPPED
    name = break_newest(run_dir, "flipped")
    attempt = start(run_dir, checkpoint=name)
    assert attempt.wait() == FAILED
    assert "content has changed" in attempt.log()


def test_another_number_of_ranks_is_refused(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    assert run(run_dir, OWN_STOP_AT="epoch 10") == STOPPED
    attempt = start(run_dir, 2)
    codes = attempt.wait()
    assert codes == FAILED * 2
    assert "written by 1 ranks, and these are 2" in attempt.log()


def test_a_new_experiment_starts_from_anothers_checkpoint(whole: RunDir, tmp_path: Path) -> None:
    first = make_run(tmp_path / "first")
    assert run(first, OWN_STOP_AT="step 14") == STOPPED
    checkpoint = first.checkpoints / "epoch=1-step=14.ckpt"
    second = make_run(tmp_path / "second", starts_from={"checkpoint": str(checkpoint)})
    assert run(second, OWN_KILL_AT="step 16") == [-9]
    assert run(second) == DONE
    state, expected = newest(second)["state_dict"], newest(whole)["state_dict"]
    assert all((state[name] == expected[name]).all() for name in expected)


def test_two_ranks_start_from_one_ranks_end_of_an_epoch(tmp_path: Path) -> None:
    first = make_run(tmp_path / "first")
    assert run(first, OWN_STOP_AT="step 14") == STOPPED
    inside, end = (
        {"checkpoint": str(path)} for path in sorted(first.checkpoints.glob("*.ckpt"))[::-1]
    )
    refused = start(make_run(tmp_path / "inside", world_size=2, starts_from=inside), 2)
    assert refused.wait() == FAILED * 2
    assert "inside an epoch" in refused.log()
    allowed = start(make_run(tmp_path / "end", world_size=2, starts_from=end), 2)
    assert allowed.wait() == DONE * 2
    assert "seeded anew" in allowed.log()


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_of_one_rank_ends_all(tmp_path: Path, rank: int) -> None:
    config = {"model": own("Breaking", rank=rank), "world_size": 2}
    run_dir = make_run(tmp_path / "run", **config)
    attempt = start(run_dir, 2)
    assert attempt.wait() == FAILED * 2
    error = read_json(run_dir.attempt(1).error(rank))
    assert error["type"] == "ValueError"
    assert error["message"] == "the third step is one too many"
    assert "training_step" in error["traceback"]
    assert error["rank"] == rank
    assert "one too many" in attempt.log(rank)
    assert not run_dir.attempt(1).finished.exists()


def test_a_loss_that_is_no_number(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run", model=own("Breaking", loss=float("nan")))
    attempt = start(run_dir)
    assert attempt.wait() == FAILED
    assert "the training loss is nan at step 1" in attempt.log()
    assert "Traceback" not in attempt.log()


def test_a_checkpoint_that_could_never_be_loaded_is_told_at_once(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run", model=own("Unloadable"))
    attempt = start(run_dir)
    assert attempt.wait() == FAILED
    assert "could never be loaded again" in attempt.log()
    assert list(run_dir.checkpoints.iterdir()) == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model": {"class_path": "no_such_package.Model"}}, "No module named 'no_such_package'"),
        ({"model": own("NoSuchModel")}, "there is no such class"),
        ({"model": own("Data")}, "not a LightningModule"),
        ({"model": own("Breaking", ranks=1)}, "unexpected keyword argument 'ranks'"),
        ({"kwargs": {"devices": 2}}, "write it beside kwargs"),
        ({"kwargs": {"max_epoch": 2}}, "takes no 'max_epoch'"),
        ({"kwargs": {"strategy": "fsdp"}}, "is not supported"),
        ({"kwargs": {"precision": "17"}}, "17"),
        ({"model": own("Manual"), "kwargs": {"gradient_clip_val": 1.0}}, "manual optimization"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_users_mistake(tmp_path: Path, config: dict[str, Any], message: str) -> None:
    run_dir = make_run(tmp_path / "run", **config)
    attempt = start(run_dir)
    assert attempt.wait() == [ExitCode.CONFIG_INVALID]
    assert message in attempt.log()
    assert "Traceback" not in attempt.log()
    assert message in read_json(run_dir.attempt(1).error(0))["message"]
