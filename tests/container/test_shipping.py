"""A launch that ships its checkout: the code of the launch runs, whatever is edited later."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from launch.store import Experiment
from launch.store.records import read_record
from tests.cluster.person import Person, wait_for
from tests.cluster.running import PATIENCE_S
from tests.container.inside import LAUNCH, write_grid

ROOT = Path(__file__).parents[2]

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")


def edit(person: Person, text: str) -> None:
    """Let the checkout's pcm say something whenever it is imported."""
    original = (ROOT / "pcm" / "__init__.py").read_text()
    person.write_file("pcm/__init__.py", f'{original}\nprint("this is the {text} code")\n')


@pytest.fixture
def checkout(person: Person) -> Person:
    """Somebody whose project folder is a checkout of pcm with uncommitted edits."""
    unused = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "pcm", person.project / "pcm", ignore=unused)
    edit(person, "committed")
    for words in (("init", "--quiet"), ("add", "pcm"), ("commit", "--quiet", "-m", "start")):
        done = person.run(*GIT, *words)
        assert done.returncode == 0, done.stderr
    person.write_file(".env", "TOKEN=s3cret")
    edit(person, "launched")
    return person


@contextmanager
def waiting(person: Person) -> Iterator[None]:
    """Nothing starts on the cluster until the block ends."""
    update = ("scontrol", "update", "PartitionName=gpu")
    person.cluster.run(*update, "State=DOWN")
    try:
        yield
    finally:
        person.cluster.run(*update, "State=UP")


def told(experiment: Experiment) -> str:
    """What an experiment's training has printed by its end."""
    wait_for(experiment.run_dir.attempt(1).finished.exists, PATIENCE_S)
    return experiment.run_dir.attempt(1).log(0).read_text()


def test_a_later_edit_reaches_no_waiting_job(checkout: Person, inside: Person) -> None:
    with waiting(inside):
        [experiment] = inside.launch(write_grid(inside), "--code", "snapshot", STAND_IN_STEPS="1")
        edit(inside, "later")
    log = told(experiment)
    assert "this is the launched code" in log
    assert "later" not in log
    command = " ".join(read_record(experiment.run_dir.attempt(1).attempt)["command"])
    assert "destination=/opt/pcm/snapshot,ro" in command
    launch = experiment.launch
    assert launch.record["code"]["dirty"]
    assert "this is the launched code" in launch.code_diff.read_text()
    assert "warning: the code of pcm was edited" not in log
    names = {path.name for path in launch.snapshot.iterdir()}
    assert names == {"pcm"}


def test_the_grid_may_ask_for_it_and_no_image_is_needed(checkout: Person) -> None:
    grid = checkout.write_grid(2)
    text = (checkout.project / grid).read_text()
    checkout.write_file(grid, text + "container: {code: snapshot}\n")
    launcher = checkout.start_pcm(*LAUNCH, grid, "--max-parallel", "1", STAND_IN_STEPS="60")
    first, second = wait_for(checkout.experiments)
    wait_for(lambda: read_record(first.run_dir.attempt(1).progress))
    edit(checkout, "later")
    output, errors = launcher.communicate(timeout=120)
    assert launcher.returncode == 0, output + errors
    for experiment in (first, second):
        assert "this is the launched code" in told(experiment)
        assert "later" not in told(experiment)


def test_the_code_of_the_image_runs_unless_another_is_asked_for(
    checkout: Person, inside: Person
) -> None:
    inside.pcm(*LAUNCH, write_grid(inside), STAND_IN_STEPS="1")
    [experiment] = inside.experiments()
    assert "this is the" not in told(experiment)
    assert not experiment.launch.snapshot.exists()


def test_a_real_image_takes_the_snapshot_and_leaves_its_own(
    checkout: Person, apptainer: Path, torch_image: Path
) -> None:
    checkout.environment["PATH"] = f"{apptainer.parent}:{checkout.environment['PATH']}"
    container = {"image": str(torch_image), "code": "snapshot", "stage": str(checkout.home)}
    data = {"data_train": "mnist-plain-train.yaml", "data_val": "mnist-plain-test.yaml"}
    base = {"model": "vae.yaml", **data}
    short = {"subsample_size": 8, "model.training.batch_size": 4, "model.training.max_epochs": 1}
    grid = {"name": "real", "base": base, "set": short, "container": container}
    # JSON is YAML.
    checkout.write_file("real.yaml", json.dumps(grid))
    checkout.pcm(*LAUNCH, "real.yaml")
    [experiment] = checkout.experiments()
    assert "this is the launched code" in told(experiment)
    command = read_record(experiment.run_dir.attempt(1).supervisor(0))["command"]
    assert str(torch_image) not in command
