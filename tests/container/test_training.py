"""Real training inside a real image: on this machine, and in Slurm whatever befalls it."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from launch.store import Experiment, Store
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from tests.cluster.person import Person, wait_for
from tests.cluster.running import PATIENCE_S, Running
from tests.resume.runs import assert_same_end

DIGITS = {
    "base": {
        "model": "vae.yaml",
        "data_train": "mnist-plain-train.yaml",
        "data_val": "mnist-plain-test.yaml",
    },
    "set": {
        "subsample_size": 256,
        "model.training.batch_size": 2,
        "model.training.max_epochs": 10,
    },
}

OWN = Path(__file__).parent / "own"

TWO_RANKS = {"tasks_per_node": 2}
PACK = {"tasks_per_node": 1, "cpus_per_task": 1, "pack": {"per_job": 2, "per_gpu": 2}}
TWO_NODES = {"nodes": 2, "tasks_per_node": 1}


@pytest.fixture
def inside(person: Person, apptainer: Path) -> Person:
    """Somebody with Apptainer, whose training is real."""
    person.environment["PATH"] = f"{apptainer.parent}:{person.environment['PATH']}"
    del person.environment["PCM_PYTHON"]
    return person


@pytest.fixture
def container(torch_image: Path) -> dict[str, Any]:
    """What a grid file says of the image."""
    return {"image": str(torch_image)}


def write_grid(person: Person, resources: dict[str, Any], **entries: Any) -> str:
    """A grid of one experiment; returns the name of its file."""
    asked = {"mem": 4000, "time": 20, **resources}
    # JSON is YAML.
    person.write_file("real.yaml", json.dumps({"name": "real", "resources": asked, **entries}))
    return "real.yaml"


def write_troubled_grid(
    person: Person, trouble: str, resources: dict[str, Any], container: dict[str, Any]
) -> str:
    """A grid of the user's own model, whose code is bound into the image."""
    model = {"class_path": "troubled.Troubled", "init_args": {"trouble": trouble}}
    person.write_file("model.yaml", json.dumps(model))
    person.write_file("data.yaml", json.dumps({"class_path": "troubled.Data"}))
    bound = {"binds": [f"{OWN}:/own:ro"], "environment": {"PYTHONPATH": "/own"}}
    base = {"model": "model.yaml", "data_train": "data.yaml"}
    return write_grid(person, resources, base=base, container=container | bound)


def run_here(person: Person, grid: str, root: Path, *flags: str) -> list[Experiment]:
    """Run the experiments of a grid on this machine, left alone."""
    launcher = person.start_pcm(
        "launch", grid, "--executor", "local", "--yes", *flags, PCM_RUNS_DIR=str(root)
    )
    output, errors = launcher.communicate(timeout=PATIENCE_S)
    assert launcher.returncode == 0, output + errors
    return Store(root).experiments()


def signal_training(running: Running, number: signal.Signals, ranks: int = 2) -> None:
    """Send a signal to the training processes of all ranks alone."""
    for rank in range(ranks):
        os.killpg(running.pid(1, rank, "child_pid"), number)


def test_preempted_inside_it_ends_as_if_left_alone(
    inside: Person, container: dict[str, Any]
) -> None:
    grid = write_grid(inside, TWO_RANKS, container=container, **DIGITS)
    running = Running.start(inside, grid)
    running.wait_for_steps(steps=1)
    # On a fast machine it would end before Slurm has made up its mind.
    signal_training(running, signal.SIGSTOP)
    with running.preempted():
        wait_for(running.attempt(1).stop.exists, PATIENCE_S)
        signal_training(running, signal.SIGCONT)
        verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("preempted", True)
    running.wait_for_end(attempt=2)
    running.wait_until_over()
    assert running.state == "COMPLETED"
    assert read_record(running.attempt(2).attempt)["command"][0] == "apptainer"

    [whole] = run_here(inside, grid, inside.project / "left alone")
    assert read_record(whole.run_dir.attempt(1).attempt)["command"][0] == "apptainer"
    assert_same_end(whole.run_dir, running.experiment.run_dir)
    # It would say so of its folder, where there is no home to have one in.
    assert "matplotlib" not in running.attempt(1).log(0).read_text().lower()


def test_a_pack_preempted_inside_ends_as_if_left_alone(
    inside: Person, container: dict[str, Any]
) -> None:
    seeds = {"grid": {"seed": [1, 2]}, "container": container, **DIGITS}
    grid = write_grid(inside, PACK, **seeds)
    experiments = inside.launch(grid)
    [submission] = all_submissions(inside.store.root)
    both = [Running(inside, each, f"{submission.job_id}_0") for each in experiments]
    for running in both:
        running.wait_for_steps(steps=1)
        signal_training(running, signal.SIGSTOP, ranks=1)
    with both[0].preempted():
        for running in both:
            wait_for(running.attempt(1).stop.exists, PATIENCE_S)
            signal_training(running, signal.SIGCONT, ranks=1)
        assert [each.wait_for_verdict()["reason"] for each in both] == ["preempted"] * 2
    for running in both:
        running.wait_for_end(attempt=2)
        logs = [running.attempt(number).log(0).read_text() for number in (1, 2)]
        assert not any("starts afresh" in log for log in logs)
    both[0].wait_until_over()

    wholes = run_here(inside, grid, inside.project / "left alone", "--max-parallel", "2")
    for whole, running in zip(wholes, both, strict=True):
        assert whole.id == running.experiment.id
        assert_same_end(whole.run_dir, running.experiment.run_dir)


def test_what_is_cancelled_on_two_nodes_ends_inside(
    inside: Person, container: dict[str, Any]
) -> None:
    running = Running.start(inside, write_grid(inside, TWO_NODES, container=container, **DIGITS))
    running.wait_for_steps(steps=1)
    inside.pcm("cancel", running.experiment.id, "--yes")
    assert running.wait_for_verdict()["reason"] == "cancel"
    running.wait_until_over()
    assert running.attempt(1).stopped.exists()


def test_a_failing_rank_is_heard_from_another_node(
    inside: Person, container: dict[str, Any]
) -> None:
    running = Running.start(inside, write_troubled_grid(inside, "digit", TWO_NODES, container))
    assert running.wait_for_verdict()["comes_back"] is False
    running.wait_until_over()
    told = inside.pcm("why", running.experiment.id).stdout
    assert "rank 1" in told
    assert "ValueError: no such digit: 11" in told
    assert '/own/troubled.py", line' in told


def test_lack_of_memory_inside_is_told_as_such(inside: Person, container: dict[str, Any]) -> None:
    resources = TWO_RANKS | {"mem": 2000}
    running = Running.start(inside, write_troubled_grid(inside, "memory", resources, container))
    assert running.wait_for_verdict()["reason"] == "out_of_memory"
    running.wait_until_over()
    told = inside.pcm("why", running.experiment.id).stdout
    assert "out of memory (SIGKILL)" in told
