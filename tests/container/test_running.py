"""Experiments inside a real image: on this machine, and on a real Slurm."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.container import Container, exec_command
from launch.container.settings import Bind
from launch.store.records import read_record
from pcm.run_dir import SCHEMA_VERSION
from pcm.run_dir.digests import sha256_of
from tests.cluster.person import Person, wait_for
from tests.cluster.running import Running
from tests.cluster.slurm import SlurmCluster
from tests.container import test_command
from tests.container.inside import (
    IMAGE,
    LAUNCH,
    give_image,
    refused,
    run_here,
    running,
    training,
    write_grid,
)


def test_two_ranks_train_inside(inside: Person) -> None:
    grid = write_grid(inside, resources={"tasks_per_node": 2})
    [experiment] = run_here(inside, grid, STAND_IN_STEPS="4")
    files = experiment.run_dir.attempt(1)
    assert files.finished.exists()
    command = read_record(files.attempt)["command"]
    assert command[:3] == ["apptainer", "--quiet", "exec"]
    log = files.log(0).read_text()
    assert "'WORLD_SIZE': '2'" in log
    # It works where it writes, not in the checkout.
    assert str(experiment.run_dir.path) in log
    image = inside.project / IMAGE
    assert experiment.launch.record["container"]["sha256"] == sha256_of(image)
    assert read_record(experiment.run_dir.experiment)["image"] == {
        "path": str(image),
        "sha256": sha256_of(image),
    }


def test_a_failing_rank_is_heard_outside(inside: Person) -> None:
    grid = write_grid(inside, resources={"tasks_per_node": 2})
    assert "no such digit: 11" in refused(inside, 1, *LAUNCH, grid, STAND_IN_FAIL="1")
    [experiment] = inside.experiments()
    failed = read_record(experiment.run_dir.attempt(1).failed)
    assert (failed["rank"], failed["exit_code"]) == (1, 1)


def test_ctrl_c_stops_inside_and_a_resume_goes_on_inside(inside: Person) -> None:
    grid = write_grid(inside)
    launcher = inside.start_pcm(*LAUNCH, grid, STAND_IN_STEPS="4000")
    [experiment] = wait_for(inside.experiments)
    files = experiment.run_dir.attempt(1)
    wait_for(lambda: read_record(files.progress).get("step", 0) > 2)
    launcher.send_signal(signal.SIGINT)
    launcher.communicate(timeout=60)
    assert launcher.returncode == 130
    step = read_record(files.stopped)["step"]
    inside.pcm("resume", experiment.id, STAND_IN_STEPS=str(step + 3))
    second = experiment.run_dir.attempt(2)
    assert second.finished.exists()
    assert read_record(second.attempt)["command"][0] == "apptainer"
    assert f"goes on from step {step}" in second.log(0).read_text()


def test_training_does_not_outlive_a_killed_supervisor(inside: Person) -> None:
    grid = write_grid(inside)
    launcher = inside.start_pcm(*LAUNCH, grid, STAND_IN_STEPS="4000")
    [experiment] = wait_for(inside.experiments)
    files = experiment.run_dir.attempt(1)
    wait_for(lambda: read_record(files.progress).get("step", 0) > 2)
    # Nor may the launcher be of any help.
    launcher.send_signal(signal.SIGSTOP)
    try:
        os.kill(read_record(files.supervisor(0))["pid"], signal.SIGKILL)
        wait_for(lambda: not training(inside))
        assert not files.finished.exists()
    finally:
        launcher.kill()
        launcher.communicate()


def test_no_secret_is_anywhere_but_in_the_environment(inside: Person) -> None:
    secret = "s3cr3t-é"
    grid = write_grid(inside, environment={"HF_TOKEN": None})
    with running(inside, grid, NEPTUNE_API_TOKEN=secret, HF_TOKEN=secret) as process:
        variables = process.environ()
        commands = [each.cmdline() for each in inside.processes()]
    assert variables["NEPTUNE_API_TOKEN"] == variables["HF_TOKEN"] == secret
    assert secret not in str(commands)
    texts = [path.read_bytes() for path in inside.root.rglob("*") if path.is_file()]
    assert texts
    assert not any(secret.encode() in text for text in texts)


def test_a_clean_environment_is_inside(inside: Person) -> None:
    mine = 'a "b" $HOME `id`, é'
    grid = write_grid(inside, environment={"MINE": mine})
    with running(inside, grid, LD_LIBRARY_PATH="/nowhere", CONDA_PREFIX="/nowhere") as process:
        variables = process.environ()
    assert variables["MINE"] == mine
    assert variables["RANK"] == "0"
    assert variables["PYTHONPATH"] == "/opt/code"
    assert "/nowhere" not in variables.values()


HOSTILE = ["a b", "c,d", "e:f", "quote\"it's", "$HOME `id`", "-x", "trailing ", "数据=é"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_run_directory_of_any_name_is_seen_inside(inside: Person, name: str) -> None:
    root = inside.project / name
    grid = write_grid(inside)
    inside.pcm(
        *LAUNCH,
        grid,
        PCM_RUNS_DIR=f"./{name}",
        STAND_IN_STEPS="1",
    )
    [run_dir] = (root / "experiments").glob("*/*")
    assert (run_dir / "attempts" / "1" / "finished.json").exists()


def test_folders_of_any_name_can_be_bound(inside: Person) -> None:
    binds, words = [], ["cat"]
    for number, path in enumerate(path for path in test_command.HOSTILE if ":" not in path):
        source = inside.write_file(f"binds{path}/x.txt", f"{number} ").parent
        binds.append(Bind(str(source), f"/inside{path}", writable=False))
        words.append(f"/inside{path}/x.txt")
    container = Container(inside.project / IMAGE, binds=tuple(binds))
    done = inside.run(*exec_command(container, words))
    assert done.stdout.split() == [str(number) for number in range(len(binds))], done.stderr


def test_binds_and_scratch_are_there(inside: Person, folder: Path) -> None:
    data = inside.write_file("da,ta é/x.txt", "seen").parent
    scratch = inside.project / "scr atch"
    grid = write_grid(
        inside, binds=[f"{data}:/inside, é:ro"], scratch="$NODE_FOLDER/scr atch", nv=False
    )
    [experiment] = run_here(inside, grid, STAND_IN_STEPS="1", NODE_FOLDER=str(inside.project))
    assert scratch.is_dir()
    record = read_record(experiment.run_dir.attempt(1).attempt)
    assert f'type=bind,"source={data}","destination=/inside, é",ro' in record["command"]


def test_what_is_missing_is_told_before_anything_is_written(inside: Person) -> None:
    grid = write_grid(inside)
    told = refused(inside, 4, *LAUNCH, grid, "--image", "no such.sif")
    assert "there is no image 'no such.sif'" in told
    inside.write_file("text.sif", "hello")
    assert "can't train" in refused(inside, 4, *LAUNCH, grid, "--image", "text.sif")
    grid = write_grid(inside, binds=["/not here", "/data:ro"])
    assert "/data:ro" in refused(inside, 3, *LAUNCH, grid)
    grid = write_grid(inside, binds=["/not here"])
    assert "/not here" in refused(inside, 4, *LAUNCH, grid)
    assert inside.experiments() == []


def test_a_class_that_nobody_inside_could_import_is_told_before_anything_is_written(
    inside: Person,
) -> None:
    inside.write_file("my_models.py", "class Mine: ...\n")
    inside.write_file("model.yaml", '{"class_path": "my_models.Mine", "init_args": {}}')
    grid = {
        "name": "own",
        "base": {"model": "model.yaml", "data_train": None},
        "resources": {"tasks_per_node": 1},
        "container": {"image": IMAGE},
    }
    inside.write_file("own.yaml", json.dumps(grid))
    told = refused(inside, 4, *LAUNCH, "own.yaml")
    assert "has no module my_models" in told
    assert f"binds: [{inside.project}]" in told
    assert inside.experiments() == []
    shown = {"binds": [str(inside.project)], "environment": {"PYTHONPATH": str(inside.project)}}
    inside.write_file("own.yaml", json.dumps({**grid, "container": {"image": IMAGE, **shown}}))
    [experiment] = run_here(inside, "own.yaml", STAND_IN_STEPS="1")
    assert experiment.run_dir.attempt(1).finished.exists()


def test_a_changed_image_starts_nothing(inside: Person) -> None:
    grid = write_grid(inside)
    refused(inside, 1, *LAUNCH, grid, STAND_IN_FAIL="0")
    [experiment] = inside.experiments()
    with (inside.project / IMAGE).open("ab") as stream:
        stream.write(b"\0")
    told = refused(inside, 1, "resume", experiment.id)
    assert "has changed since the launch" in told
    assert len(experiment.run_dir.attempts()) == 1
    # Launching it again goes on with what there is now.
    run_here(inside, grid, STAND_IN_STEPS="4")
    assert experiment.run_dir.attempt(2).finished.exists()


@pytest.fixture
def older(folder: Path, tiny_image: Path) -> Iterator[Path]:
    """An image with an older pcm; an unpacked one does as well as a file."""
    older = folder / "older"
    shutil.copytree(folder / "root", older, symlinks=True)
    paths = older / "opt" / "code" / "pcm" / "run_dir" / "paths.py"
    newer = f"SCHEMA_VERSION = {SCHEMA_VERSION}"
    assert newer in paths.read_text()
    paths.write_text(paths.read_text().replace(newer, "SCHEMA_VERSION = 0"))
    yield older
    shutil.rmtree(older)


def test_an_image_with_an_older_pcm_is_refused(inside: Person, older: Path) -> None:
    told = refused(inside, 4, *LAUNCH, write_grid(inside), "--image", str(older))
    assert "has an older pcm" in told


def test_an_older_image_is_found_on_the_node_where_nobody_could_look(
    inside: Person, older: Path
) -> None:
    grid = write_grid(inside, image=str(older))
    # The login node has no Apptainer; the site's setup brings it on the nodes.
    path = inside.environment["PATH"]
    apptainer, others = path.split(":", 1)
    site = f"setup: ['export PATH={apptainer}:$PATH']\n"
    inside.write_file("site.yaml", site)
    inside.environment["PATH"] = others
    [experiment] = inside.launch(grid, "--site", "site.yaml")
    inside.wait_for_empty_queue()
    assert "has an older pcm" in inside.pcm("why", experiment.id).stdout
    assert experiment.run_dir.attempts() == []


def test_what_is_missing_on_the_node_is_told_before_it_trains(inside: Person) -> None:
    """The login node may well lack what the nodes have, so it only says so."""
    bound = write_grid(inside, binds=["/not here:/data"])
    [experiment] = inside.launch(bound)
    inside.wait_for_empty_queue()
    told = inside.pcm("why", experiment.id).stdout
    assert "the image needs folders that are not on" in told
    assert "/not here" in told

    (inside.project / IMAGE).unlink()
    inside.pcm("resume", experiment.id)
    inside.wait_for_empty_queue()
    assert "can't be read: No such file" in inside.pcm("why", experiment.id).stdout
    assert experiment.run_dir.attempts() == []


@pytest.fixture(params=["cgroup", "linuxproc", "pgid"])
def on_slurm(
    request: pytest.FixtureRequest, user: str, home: Path, apptainer: Path, tiny_image: Path
) -> Iterator[Person]:
    """Somebody with the image on a cluster that follows processes in its own way."""
    with SlurmCluster(tracking=request.param, nodes=1) as cluster:
        person = Person(user, home, cluster)
        give_image(person, apptainer, tiny_image)
        yield person
        person.leave()


def test_what_slurm_preempts_goes_on_inside(on_slurm: Person) -> None:
    grid = write_grid(on_slurm, resources={"tasks_per_node": 2})
    running = Running.start(on_slurm, grid, STAND_IN_STEPS="100")
    running.wait_for_steps()
    with running.preempted():
        assert running.wait_for_verdict()["comes_back"]
    first, second = running.attempt(1), running.attempt(2)
    outcomes = [read_record(first.outcome(rank)) for rank in range(2)]
    assert [(each["exit_code"], each["signal"]) for each in outcomes] == [(75, None)] * 2
    running.wait_for_end(attempt=2)
    assert f"goes on from step {read_record(first.stopped)['step']}" in second.log(0).read_text()
    command = read_record(second.attempt)["command"]
    assert command[0] == "apptainer"
    assert ("--unsquash" in command) is (on_slurm.cluster.tracking == "linuxproc")
    running.wait_until_over()
    assert running.state == "COMPLETED"


def test_what_is_cancelled_ends_inside(inside: Person) -> None:
    running = Running.start(inside, write_grid(inside), STAND_IN_STEPS="4000")
    running.wait_for_steps()
    inside.pcm("cancel", running.experiment.id, "--yes")
    assert running.wait_for_verdict()["reason"] == "cancel"
    running.wait_until_over()
    assert running.attempt(1).stopped.exists()
