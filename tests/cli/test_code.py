"""`--code snapshot`, up to where experiments really run."""

import json
import subprocess
from pathlib import Path

import pytest

import launch.local.running
from launch.store import LaunchDir, Store
from tests.cli.conftest import Pcm
from tests.cli.test_launch import FakeRunner

SNAPSHOT = ("launch", "small.yaml", "--executor", "local", "--yes", "--code", "snapshot")


@pytest.fixture(autouse=True)
def runner(monkeypatch: pytest.MonkeyPatch) -> FakeRunner:
    fake = FakeRunner()
    monkeypatch.setattr(launch.local.running, "run_local", fake)
    return fake


@pytest.fixture
def checkout(project: Path) -> Path:
    """The project folder as a checkout without pcm's own code."""
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "small.yaml"], ["commit", "-qm", "start"]):
        subprocess.run([*git, *words], cwd=project, check=True)
    return project


def only_launch(project: Path) -> LaunchDir:
    [found] = Store(project / "runs").root.launches()
    return found


def test_a_launch_takes_the_checkout_with_it(pcm: Pcm, checkout: Path) -> None:
    for number in range(7):
        (checkout / f"new{number}.py").touch()
    result = pcm(*SNAPSHOT)
    assert result.exit_code == 0, result.output
    assert f"code of {checkout.resolve()}, commit" in result.stdout
    assert "no pcm in it" in result.stderr
    assert "left out: new0.py, new1.py, new2.py, new3.py, new4.py and 2 more" in result.stderr
    frozen = only_launch(checkout)
    assert frozen.ships_code
    assert (frozen.snapshot / "small.yaml").exists()
    assert not (frozen.snapshot / "new0.py").exists()


def test_the_flag_wins_over_the_grid_file(pcm: Pcm, checkout: Path) -> None:
    with (checkout / "small.yaml").open("a") as grid:
        grid.write("container: {code: snapshot}\n")
    assert pcm(*SNAPSHOT[:-1], "baked").exit_code == 0
    assert not only_launch(checkout).ships_code


def test_a_site_may_ask_for_it(pcm: Pcm, checkout: Path) -> None:
    (checkout / "mine.yaml").write_text("container: {code: snapshot}\n")
    assert pcm(*SNAPSHOT[:-2], "--site", "mine.yaml").exit_code == 0
    assert only_launch(checkout).ships_code


def test_without_a_checkout_nothing_is_launched(pcm: Pcm, project: Path) -> None:
    result = pcm(*SNAPSHOT)
    assert result.exit_code == 4
    assert "needs a git checkout with a commit" in result.stderr
    assert not (project / "runs" / "sweeps").exists()


def test_a_folder_that_python_cannot_import_from(pcm: Pcm, checkout: Path) -> None:
    result = pcm(*SNAPSHOT, "--runs-dir", "my:runs")
    assert result.exit_code == 4
    assert "can't import a snapshot" in result.stderr


def test_debugging_runs_the_code_that_is_here(pcm: Pcm, checkout: Path) -> None:
    result = pcm("launch", "small.yaml", "--executor", "debug", "--yes", "--code", "snapshot")
    assert result.exit_code == 2
    assert "runs the code of this process" in result.stderr


def test_one_experiment_may_ask_for_it(pcm: Pcm, checkout: Path) -> None:
    files = ("vae.yaml", "mnist-plain-train.yaml", "mnist-plain-test.yaml")
    options = ("--model-cfg", "--data-train", "--data-val")
    words = [word for pair in zip(options, files, strict=True) for word in pair]
    result = pcm("train", *words, "--code", "snapshot", "--tracker", "none")
    assert result.exit_code == 0, result.output
    assert json.loads(only_launch(checkout).sweep.read_text())["ships_code"]


def test_a_rehearsal_tells_which_code_it_would_be(pcm: Pcm, checkout: Path) -> None:
    result = pcm(*SNAPSHOT, "--dry-run")
    assert result.exit_code == 0, result.output
    assert f"code of {checkout.resolve()}, commit" in result.stdout
    assert not (checkout / "runs" / "sweeps").exists()
