"""What a rank does about its image on its own node."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from launch.container import Container
from launch.container.checks import require_binds
from launch.container.settings import CODE_INSIDE, Bind
from launch.site import Mount
from launch.store import Experiment, RunsRoot
from launch.supervisor import node_container as inside
from launch.supervisor.job import Job
from launch.supervisor.node_container import (
    inside_command,
    inside_environment,
    node_container,
    nursery_command,
    nursery_container,
    with_sure_mount,
)
from pcm.errors import RefusedError
from pcm.run_dir import write_json
from tests.local.conftest import wait_for


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An image's unpacked folder, which nobody looks into."""
    folder = tmp_path / "my image"
    folder.mkdir()
    return folder


def frozen(experiment: Experiment, container: Container, **entries: Any) -> None:
    """Let an experiment's launch ask for an image."""
    record = {**experiment.launch.record, "container": container.record(), **entries}
    write_json(experiment.launch.sweep, record)
    experiment.launch.__dict__.pop("record")


@pytest.mark.parametrize("there", ["nvidiactl", "version", None])
def test_each_node_decides_whether_the_driver_comes_in(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str | None
) -> None:
    monkeypatch.setattr(inside, "NVIDIA", (tmp_path / "nvidiactl", tmp_path / "version"))
    if there is not None:
        (tmp_path / there).touch()
    words = inside_command(Container(Path("/x.sif")), experiment.run_dir, [])
    assert ("--nv" in words) is (there is not None)
    forced = inside_command(Container(Path("/x.sif"), nv=True), experiment.run_dir, [])
    assert "--nv" in forced


def test_shipped_code_comes_before_the_images_own(
    experiment: Experiment, image: Path, job: Job
) -> None:
    frozen(
        experiment,
        Container(image, environment={"PYTHONPATH": "/mine"}, checked=True),
        ships_code=True,
    )
    container = node_container(experiment.launch, experiment.run_dir, job)
    assert container is not None
    snapshot = str(experiment.launch.snapshot)
    assert Bind(snapshot, CODE_INSIDE, writable=False) in container.binds
    found = inside_environment(container, {"PYTHONPATH": "/host"})
    assert found["APPTAINERENV_PYTHONPATH"] == f"{CODE_INSIDE}:/mine"
    # A snapshot that somebody removed is told as any folder that is not on the node.
    with pytest.raises(RefusedError, match=r"not on .*code"):
        require_binds(container)


def test_matplotlib_has_a_folder_inside_unless_the_person_names_one(tmp_path: Path) -> None:
    name, image = "APPTAINERENV_MPLCONFIGDIR", Path("/x.sif")
    there = inside_environment(Container(image), {})[name]
    assert there == f"/tmp/pcm-{os.getuid()}/matplotlib"
    scratched = Container(image, scratch=str(tmp_path))
    assert inside_environment(scratched, {})[name] == f"{tmp_path}/cache/matplotlib"
    named = Container(image, environment={"MPLCONFIGDIR": "/mine"})
    assert inside_environment(named, {})[name] == "/mine"


@pytest.mark.parametrize("executor", ["slurm", "local"])
def test_the_image_is_unpacked_where_slurm_signals_everything(
    job: Job, monkeypatch: pytest.MonkeyPatch, executor: str
) -> None:
    monkeypatch.setattr(inside, "signals_everything", lambda: True)
    job = replace(job, executor=executor)
    wanted = Mount.UNSQUASH if executor == "slurm" else Mount.AUTO
    assert with_sure_mount(Container(Path("/x.sif")), job).mount is wanted
    assert with_sure_mount(Container(Path("/x"), mount=Mount.FUSE), job).mount is Mount.FUSE


def test_the_image_is_missing_or_another_one(experiment: Experiment, image: Path, job: Job) -> None:
    file = image / "x.sif"
    frozen(experiment, Container(file, sha256="ab", size=3, modified=4))
    with pytest.raises(RefusedError, match="can't be read: No such file"):
        node_container(experiment.launch, experiment.run_dir, job)
    file.write_bytes(b"another")
    with pytest.raises(RefusedError, match="has changed since the launch"):
        node_container(experiment.launch, experiment.run_dir, job)


def test_one_container_serves_all_experiments_of_a_launch(
    experiment: Experiment, image: Path, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert nursery_container(experiment.launch) is None
    asked = Container(image, checked=True, scratch="$NODES_OWN/scratch")
    frozen(experiment, asked, starts_from={"checkpoint": "/other/c.ckpt"}, ships_code=True)
    monkeypatch.setenv("NODES_OWN", "/local")
    monkeypatch.setenv("SLURM_JOB_ID", "1")
    monkeypatch.setattr(inside, "signals_everything", lambda: True)
    shared = nursery_container(experiment.launch)
    own = node_container(experiment.launch, experiment.run_dir, job)
    assert shared is not None
    assert own is not None
    folder = str(experiment.run_dir.path)
    assert Bind(folder, folder) in own.binds
    runs = str(RunsRoot(experiment.launch.root).experiments_folder)
    binds = tuple(Bind(runs, runs) if each.source == folder else each for each in own.binds)
    assert shared == replace(own, binds=binds, mount=Mount.UNSQUASH)


FORKING = """
import os, time
if os.fork() == 0:
    while not os.path.exists("done"):
        time.sleep(0.01)
    os._exit(0)
print(os.getpid(), flush=True)
time.sleep(60)
"""
"""Its child holds its output open, as a keeper does."""


def test_the_image_is_there_until_the_last_training_has_ended(tmp_path: Path) -> None:
    words = nursery_command(Container(Path("/x.sif")), tmp_path, [])
    shell = words[words.index("/bin/sh") : words.index("python")]
    command = [*shell, sys.executable, "-c", FORKING]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe) as container:
        assert container.stdout is not None
        assert container.stdin is not None
        forking = int(container.stdout.readline())
        for number in (signal.SIGTERM, signal.SIGINT):
            container.send_signal(number)
        os.kill(forking, signal.SIGSTOP)
        container.stdin.close()
        wait_for(lambda: not Path(f"/proc/{forking}").exists())
        assert container.poll() is None
        (tmp_path / "done").touch()
        assert container.wait(10) == 0
