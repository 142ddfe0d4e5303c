"""`pcm train` and its options, which are those of the script that it follows."""

import json
from pathlib import Path
from typing import Any

import pytest

from launch.cli.commands.train import spread
from tests.cli.conftest import Pcm, Runs, add_checkpoint
from tests.cli.test_launch import FakeRunner, runner

__all__ = ["runner"]

FILES = (
    "--model-cfg", "vae.yaml",
    "--data-train", "mnist-plain-train.yaml",
    "--data-val", "mnist-plain-test.yaml",
)  # fmt: skip


def launched(project: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The records of the one launch and its one point."""
    [sweep] = project.glob("runs/sweeps/*/*/sweep.json")
    [point] = sweep.with_name("points.jsonl").read_text().splitlines()
    return json.loads(sweep.read_text()), json.loads(point)


def test_all_options_arrive(pcm: Pcm, project: Path, runner: FakeRunner) -> None:
    result = pcm(
        "train", *FILES,
        "--trainer-cfg", "default.yaml",
        "--subsample-size", "64",
        "--project-name", "me/vaes",
        "--tags", "vae", "first try",
        "--experiment-name", "trial",
        "--seed", "3",
        "--tasks-per-node", "2",
        "--verbose",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    sweep, point = launched(project)
    assert sweep["name"] == "trial"
    assert sweep["tags"] == ["vae", "first try"]
    assert sweep["tracker"] == {"name": "neptune", "project": "me/vaes"}
    assert (point["seed"], point["subsample_size"], point["world_size"]) == (3, 64, 2)
    assert len(runner.calls) == 1
    assert "chain:" in result.stdout


def test_options_may_be_spelt_with_underscores(pcm: Pcm, project: Path, runner: FakeRunner) -> None:
    result = pcm(
        "train", "--model_cfg", "vae.yaml", "--data_train", "mnist-plain-train.yaml",
        "--data_val", "mnist-plain-test.yaml", "--subsample_size=32", "--experiment_name", "t",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert launched(project)[1]["subsample_size"] == 32


def test_nobody_is_asked(pcm: Pcm, runner: FakeRunner) -> None:
    assert pcm("train", *FILES).exit_code == 0
    assert len(runner.calls) == 1


def test_a_dry_run_does_nothing(pcm: Pcm, project: Path, runner: FakeRunner) -> None:
    result = pcm("train", *FILES, "--dry-run")
    assert result.exit_code == 0
    assert " -m pcm " in result.stdout
    assert not runner.calls
    assert not (project / "runs").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--tags", "a", "b", "--seed", "1"], ["--tags", "a", "--tags", "b", "--seed", "1"]),
        (["--tags", "a", "--tags", "b"], ["--tags", "a", "--tags", "b"]),
        (["--seed", "1", "--tags"], ["--seed", "1"]),
        (["--tags=a", "--seed", "1"], ["--tags=a", "--seed", "1"]),
        ([], []),
    ],
)
def test_tags_take_all_words_up_to_the_next_option(words: list[str], expected: list[str]) -> None:
    assert spread(words, "--tags") == expected


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--checkpoint-name", "x"), 2, "--checkpoint-experiment-id"),
        (("--checkpoint-experiment-id", "feedbeef"), 5, "feedbeef"),
        (("--project-name", "a/b", "--tracker", "none"), 2, "--tracker neptune"),
        (("--trainer-cfg", "defualt.yaml"), 3, "default.yaml"),
        (("--experiment-name", "a/b"), 3, "a/b"),
        (("--seed", "-1"), 3, "seed"),
    ],
)
def test_what_makes_no_sense(pcm: Pcm, arguments: tuple[str, ...], code: int, told: str) -> None:
    result = pcm("train", *FILES, *arguments)
    assert result.exit_code == code
    assert told in result.stderr


def with_checkpoints(runs: Runs) -> str:
    runs.finish(0)
    folder = runs.experiments[0].run_dir.checkpoints
    folder.mkdir()
    for step in (5, 10):
        add_checkpoint(folder, f"epoch=1-step={step}.ckpt", step)
    return runs.experiments[0].id


@pytest.mark.parametrize(
    ("name", "file"),
    [
        (None, "epoch=1-step=10.ckpt"),
        ("epoch=1-step=5.ckpt", "epoch=1-step=5.ckpt"),
        ("epoch=1-step-5.ckpt", "epoch=1-step=5.ckpt"),
        ("epoch=1-step=5", "epoch=1-step=5.ckpt"),
    ],
)
@pytest.mark.usefixtures("runner")
def test_training_may_start_from_another_experiment(
    pcm: Pcm, runs: Runs, name: str | None, file: str
) -> None:
    start_from = ("--checkpoint-experiment-id", with_checkpoints(runs)[:8])
    chosen = () if name is None else ("--checkpoint-name", name)
    result = pcm("train", *FILES, "--experiment-name", "next", *start_from, *chosen)
    assert result.exit_code == 0, result.output
    [sweep] = runs.store.root.path.glob("sweeps/next/*/sweep.json")
    start = json.loads(sweep.read_text())["starts_from"]
    assert start == {"checkpoint": str(runs.experiments[0].run_dir.checkpoints / file)}


def test_a_checkpoint_that_is_not_there(pcm: Pcm, runs: Runs) -> None:
    identifier = with_checkpoints(runs)
    arguments = ("--checkpoint-experiment-id", identifier, "--checkpoint-name", "epoch=9-step=9")
    result = pcm("train", *FILES, *arguments)
    assert result.exit_code == 5
    assert "there is epoch=1-step=5.ckpt, epoch=1-step=10.ckpt" in result.stderr
