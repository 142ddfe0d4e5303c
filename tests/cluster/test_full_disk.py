"""Real training whose runs folder is full when a checkpoint is due."""

import os
import pwd
import subprocess
from collections.abc import Iterator

import pytest

from launch.store.records import read_record
from pcm.run_dir.checkpoints import Manifest, find_fault, read_manifests
from tests.cluster.person import Person, wait_for
from tests.cluster.running import PATIENCE_S, Running

pytestmark = pytest.mark.own_cluster

GRID = """\
name: full
base: {model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}
set: {subsample_size: 256, model.training.batch_size: 4, model.training.max_epochs: 20}
resources: {tasks_per_node: 1, mem: 4000, time: 20}
checkpoints: {keep: 1, keep_best: 0}
"""

ROOM_FOR_RECORDS = 256 << 10
"""Bytes: hundreds of small files, and no checkpoint."""


class Disk:
    """A small file system with somebody's runs folder."""

    def __init__(self, person: Person) -> None:
        self._filler = person.root / "filler"
        person.root.mkdir()
        owner = pwd.getpwnam(person.name)
        options = f"size=64m,uid={owner.pw_uid},gid={owner.pw_gid}"
        mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(person.root)]
        subprocess.run(mount, check=True)

    def fill(self, but: int) -> None:
        """Leave so many bytes."""
        disk = os.statvfs(self._filler.parent)
        with self._filler.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, disk.f_bavail * disk.f_frsize - but)

    def free(self) -> None:
        """Take the filler away."""
        self._filler.unlink()


@pytest.fixture
def disk(person: Person) -> Iterator[Disk]:
    del person.environment["PCM_PYTHON"]
    person.write_file("full.yaml", GRID)
    yield Disk(person)
    person.leave()
    subprocess.run(["umount", str(person.root)], check=True)


def stop_once(running: Running) -> None:
    """Have it stopped and sent back, with a checkpoint, and wait until it trains again."""
    running.wait_for_steps()
    running.person.run("scancel", "--signal=USR2", running.task)
    assert running.wait_for_verdict(1)["comes_back"]
    running.wait_for_steps(2, read_record(running.attempt(1).stopped)["step"] + 1)


def newest(running: Running) -> Manifest:
    """The newest checkpoint."""
    return read_manifests(running.experiment.run_dir.checkpoints)[0]


def test_a_stop_without_room_for_a_checkpoint_keeps_the_one_before(
    person: Person, disk: Disk
) -> None:
    running = Running.start(person, "full.yaml")
    stop_once(running)
    disk.fill(but=ROOM_FOR_RECORDS)
    person.run("scancel", "--signal=USR2", running.task)
    assert running.wait_for_verdict(2)["comes_back"]
    assert "could not be written" in running.attempt(2).log(0).read_text()
    stopped = read_record(running.attempt(2).stopped)
    assert stopped["checkpoint"] == newest(running).file
    assert newest(running).step < stopped["step"]
    assert (stopped["saved_step"], stopped["unsaved"]) == (
        newest(running).step,
        "No space left on device",
    )
    disk.free()
    running.wait_for_end(3)


def test_a_disk_without_any_room_loses_no_checkpoint(person: Person, disk: Disk) -> None:
    running = Running.start(person, "full.yaml")
    stop_once(running)
    before = newest(running)
    disk.fill(but=0)
    person.run("scancel", "--signal=USR2", running.task)
    running.wait_until_over(PATIENCE_S)
    disk.free()
    good = newest(running)
    assert good.step >= before.step
    assert find_fault(running.experiment.run_dir.checkpoints, good) is None
    assert not running.attempt(2).finished.exists()
    person.launch("full.yaml")
    wait_for(running.attempt(3).finished.exists, PATIENCE_S)
