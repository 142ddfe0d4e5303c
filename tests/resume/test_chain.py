"""The model of this project on real digits, stopped from outside at any moment."""

import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pcm.config.document import load_document
from pcm.errors import ExitCode
from pcm.plots.drawing import draw
from pcm.run_dir import RunDir, create_json, read_journal, read_json
from tests.resume.in_process import train
from tests.resume.runs import Attempt, assert_same_end, make_run, run, start

CONFIG = Path(__file__).parents[2] / "config"


def digits_run(
    folder: Path, world_size: int, log_every: int, trainer_file: str = "default"
) -> RunDir:
    """The full model for two short epochs."""
    model = load_document(CONFIG / "models/pcm-cvae.yaml").data
    model["training"] |= {"max_epochs": 2, "batch_size": 16}
    trainer = load_document(CONFIG / f"trainer/{trainer_file}.yaml").data
    trainer["kwargs"]["log_every_n_steps"] = log_every
    trainer["accelerator"] = "cpu"
    return make_run(
        folder,
        model=model,
        data_train=load_document(CONFIG / "data/mnist-train.yaml").data,
        data_val=load_document(CONFIG / "data/mnist-test.yaml").data,
        trainer=trainer,
        subsample_size=256,
        world_size=world_size,
    )


def stop_after(attempt: Attempt, seen: int) -> list[int]:
    """Ask for a stop once so many rows were logged; the exit codes."""
    journal = attempt.run_dir.metrics
    while attempt.processes[0].is_alive() and len(read_journal(journal)) < seen:
        time.sleep(0.01)
    create_json(attempt.run_dir.attempt(attempt.number).stop, {"by": "test", "reason": "cancel"})
    return attempt.wait()


@pytest.mark.parametrize(("world_size", "log_every"), [(1, 1), (1, 50), (2, 1)])
def test_same_end_whenever_it_is_stopped(tmp_path: Path, world_size: int, log_every: int) -> None:
    unbroken, broken = (digits_run(tmp_path / name, world_size, log_every) for name in ("a", "b"))
    assert run(unbroken, world_size) == [ExitCode.DONE] * world_size
    draws = random.Random(world_size)
    seen, codes = 0, [int(ExitCode.STOPPED)]
    for _ in range(3):
        seen = len(read_journal(broken.metrics)) + draws.randint(0, 6 if log_every == 1 else 1)
        codes = stop_after(start(broken, world_size), seen)
        assert len(set(codes)) == 1
    if codes[0] == ExitCode.STOPPED:
        assert run(broken, world_size) == [ExitCode.DONE] * world_size
    assert_same_end(unbroken, broken)
    assert all(
        read_json(unbroken.attempt(1).data(rank))["training_s"] for rank in range(world_size)
    )


def test_what_it_leaves(tmp_path: Path) -> None:
    run_dir = digits_run(tmp_path / "run", 1, 4)
    assert run(run_dir) == [ExitCode.DONE]
    finished: dict[str, Any] = read_json(run_dir.attempt(1).finished)
    assert (finished["step"], finished["epoch"]) == (32, 2)
    assert finished["metrics"]["val/loss"] > 0
    progress = read_json(run_dir.attempt(1).progress)
    assert (progress["step"], progress["total_steps"]) == (32, 32)
    assert (progress["epoch"], progress["max_epochs"]) == (2, 2)
    assert progress["loss"] > 0
    assert 0 < progress["waited_for_data_s"] < progress["training_s"]
    steps = {row.step for row in read_journal(run_dir.metrics) if "train/loss" in row.values}
    assert steps == set(range(4, 33, 4))


def test_validations_leave_what_their_pictures_are_drawn_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A process that draws nothing.
    monkeypatch.setattr(sys, "executable", "/bin/true")
    run_dir = digits_run(tmp_path / "run", 1, 4, "plots")
    assert train(run_dir) == ExitCode.DONE
    assert len(list(run_dir.undrawn.iterdir())) == 6
    assert not run_dir.plots.exists()
    draw(run_dir)
    counts = Counter(path.parent.name for path in run_dir.plots.rglob("*-step=*.png"))
    assert counts == {"latent": 2 * 5, "reconstruction": 2, "prior": 2}
    assert list(run_dir.undrawn.iterdir()) == []
