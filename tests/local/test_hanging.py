"""Ranks that hang: seen, named, and ended when they are to end."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from launch.cli import app
from launch.report.explain import explain
from launch.status import silence
from launch.status.state import State
from launch.status.statuses import read_status
from launch.store import Experiment, RunsRoot
from launch.store.markers import cancel
from launch.store.records import read_record
from pcm.run_dir import write_json
from tests.local.conftest import Launcher, first_attempt, stop_rank, trains, wait_for
from tests.local.launches import make_launch

StartLauncher = Callable[[int], Launcher]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop must be heeded within three seconds."""
    monkeypatch.setenv("PCM_STOP_MINUTES", "0.05")


@pytest.fixture
def hanging(
    root: Path, monkeypatch: pytest.MonkeyPatch, start_launcher: StartLauncher
) -> tuple[Experiment, Launcher]:
    """An experiment of one rank, which a signal has stopped."""
    monkeypatch.setenv("STAND_IN_STEPS", "4000")
    [only] = make_launch(root)
    launcher = start_launcher(1)
    wait_for(lambda: trains(only))
    write_checkpoint(only, step=2)
    stop_rank(only, 0)
    return only, launcher


def write_checkpoint(experiment: Experiment, step: int) -> None:
    """The manifest of one, which is what counts."""
    folder = experiment.run_dir.checkpoints
    folder.mkdir(exist_ok=True)
    facts = {"sha256": "", "size": 0, "epoch": 0, "attempt": 1, "time": 0.0, "reason": "epoch"}
    record = {"file": "a.ckpt", "step": step, "metrics": {}, **facts}
    write_json(folder / "a.ckpt.json", record)


def test_it_is_seen_and_told_what_its_rank_does(
    hanging: tuple[Experiment, Launcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment, launcher = hanging
    monkeypatch.setattr(silence, "LEAST_S", 1.0)
    status = wait_for(lambda: (s := read_status(experiment)).silence and s)
    assert status.state is State.RUNNING
    assert status.detail.startswith("no step for ")
    facts = dict(explain(experiment, status).facts)
    assert facts["rank 0"].startswith("is stopped by a signal, ")
    assert "none in the last" in facts["rank 0"]
    shown = CliRunner().invoke(app, ["status", "--runs-dir", str(experiment.launch.root)])
    assert f"{experiment.id} running: no step for " in shown.output
    launcher.interrupt(signal.SIGTERM)
    launcher.interrupt(signal.SIGKILL)


@pytest.mark.usefixtures("impatient")
def test_a_cancelled_one_ends_and_keeps_its_checkpoint(
    root: Path, hanging: tuple[Experiment, Launcher]
) -> None:
    experiment, launcher = hanging
    cancel(RunsRoot(root), experiment.id)
    assert read_status(experiment).state is State.STOPPING
    assert launcher.result()["states"] == {experiment.id: "cancelled"}
    detail = read_status(experiment).detail
    assert detail.startswith("did not obey for ")
    assert detail.endswith(" s, killed; goes on from step 2")


@pytest.mark.usefixtures("impatient")
def test_an_interrupted_one_ends_as_stopped(hanging: tuple[Experiment, Launcher]) -> None:
    experiment, launcher = hanging
    launcher.interrupt(signal.SIGTERM)
    assert launcher.result()["states"] == {experiment.id: "stopped"}
    assert "interrupt, did not obey for " in read_status(experiment).detail


def test_who_insists_does_not_wait(hanging: tuple[Experiment, Launcher]) -> None:
    experiment, launcher = hanging
    command = ["cancel", experiment.id, "--yes", "--runs-dir", str(experiment.launch.root)]
    for options in ([], ["--now"]):
        assert CliRunner().invoke(app, [*command, *options]).exit_code == 0
    assert launcher.result()["states"] == {experiment.id: "cancelled"}
    assert read_status(experiment).detail == "killed; goes on from step 2"


@pytest.mark.usefixtures("impatient")
def test_a_rank_that_outlives_the_stop_of_the_others_is_killed(
    root: Path, monkeypatch: pytest.MonkeyPatch, start_launcher: StartLauncher
) -> None:
    monkeypatch.setenv("STAND_IN_STEPS", "4000")
    [only] = make_launch(root, world_size=2)
    launcher = start_launcher(1)
    wait_for(lambda: trains(only))
    stop_rank(only, 1)
    launcher.interrupt(signal.SIGTERM)
    assert launcher.result()["states"] == {only.id: "stopped"}
    assert read_record(first_attempt(only).outcome(1))["killed"] is True
    assert read_status(only).detail == "interrupt"


@pytest.mark.usefixtures("impatient")
def test_a_slow_checkpoint_is_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch, start_launcher: StartLauncher
) -> None:
    monkeypatch.setenv("STAND_IN_STEPS", "4000")
    monkeypatch.setenv("STAND_IN_CHECKPOINT", "7")
    [only] = make_launch(root)
    launcher = start_launcher(1)
    wait_for(lambda: trains(only))
    launcher.interrupt(signal.SIGTERM)
    assert launcher.result()["states"] == {only.id: "stopped"}
    assert first_attempt(only).stopped.exists()
    assert not first_attempt(only).kill.exists()


def test_who_insists_ends_supervisors_that_hang_as_well(
    hanging: tuple[Experiment, Launcher],
) -> None:
    experiment, launcher = hanging
    supervisor = int(read_record(first_attempt(experiment).supervisor(0))["pid"])
    os.kill(supervisor, signal.SIGSTOP)
    root = str(experiment.launch.root)
    done = CliRunner().invoke(app, ["cancel", experiment.id, "--yes", "--now", "--runs-dir", root])
    assert done.exit_code == 0
    assert launcher.result()["states"] == {experiment.id: "cancelled"}
