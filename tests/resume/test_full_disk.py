"""Real file systems that are full when training ends or is stopped."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcm.errors import ExitCode
from pcm.run_dir import RunDir, read_json
from pcm.run_dir.checkpoints import read_manifests
from tests.resume.runs import Attempt, assert_same_end, make_run, run, start

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")

RANKS = pytest.mark.parametrize("ranks", [1, 2])

ROOM_FOR_RECORDS = 6 << 12
"""Bytes: some small files, and no checkpoint."""


class Disk:
    """A file system of 2 MiB."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"
        path.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
        if mounted.returncode:
            pytest.skip(f"no file systems can be mounted here: {mounted.stderr.strip()}")

    def fill(self) -> None:
        """Leave room for records alone."""
        disk = os.statvfs(self.path)
        size = disk.f_bavail * disk.f_frsize - ROOM_FOR_RECORDS
        with self._filler.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, size)

    def free(self) -> None:
        """Take the filler away."""
        self._filler.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    disk = Disk(tmp_path / "disk")
    yield disk
    subprocess.run(["umount", str(disk.path)], check=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[int, RunDir]:
    """By the number of ranks: training that nothing came in the way of."""
    runs = {}
    for ranks in (1, 2):
        runs[ranks] = make_run(tmp_path_factory.mktemp("whole") / "run", world_size=ranks)
        assert run(runs[ranks], ranks) == [ExitCode.DONE] * ranks
    return runs


def run_with_one_checkpoint(disk: Disk, ranks: int = 1) -> RunDir:
    """Stopped at its fourth step."""
    run_dir = make_run(disk.path / "run", world_size=ranks)
    assert run(run_dir, ranks, OWN_STOP_AT="step 4") == [ExitCode.STOPPED] * ranks
    return run_dir


def files(run_dir: RunDir) -> list[str]:
    return sorted(path.name for path in run_dir.checkpoints.iterdir())


@RANKS
def test_an_end_that_cannot_be_saved_is_none(
    whole: dict[int, RunDir], disk: Disk, ranks: int
) -> None:
    run_dir = run_with_one_checkpoint(disk, ranks)
    before = files(run_dir)
    disk.fill()
    assert run(run_dir, ranks) == [ExitCode.EXPERIMENT_FAILED] * ranks
    assert not run_dir.attempt(2).finished.exists()
    # There may be no room for what each rank has to say.
    errors = [read_json(run_dir.attempt(2).error(rank)) for rank in range(ranks)]
    messages = [error["message"] for error in errors if error is not None]
    assert messages
    assert all("could not be saved: No space left on device" in text for text in messages)
    assert files(run_dir) == before
    disk.free()
    assert run(run_dir, ranks) == [ExitCode.DONE] * ranks
    assert_same_end(whole[ranks], run_dir)


@RANKS
def test_a_stop_that_cannot_be_saved_tells_what_is_lost(
    whole: dict[int, RunDir], disk: Disk, ranks: int
) -> None:
    run_dir = run_with_one_checkpoint(disk, ranks)
    (saved,) = read_manifests(run_dir.checkpoints)
    disk.fill()
    assert run(run_dir, ranks, OWN_STOP_AT="step 8") == [ExitCode.STOPPED] * ranks
    stopped = read_json(run_dir.attempt(2).stopped)
    # Two ranks have done another step or two before they have agreed to stop.
    assert 8 <= stopped["step"] < 30 // ranks
    assert stopped["checkpoint"] == saved.file
    assert stopped["saved_step"] == saved.step
    assert stopped["unsaved"] == "No space left on device"
    disk.free()
    assert run(run_dir, ranks) == [ExitCode.DONE] * ranks
    assert_same_end(whole[ranks], run_dir)


def test_an_older_checkpoint_makes_room_for_the_end(whole: dict[int, RunDir], disk: Disk) -> None:
    run_dir = run_with_one_checkpoint(disk)
    assert run(run_dir, OWN_STOP_AT="step 8") == [ExitCode.STOPPED]
    disk.fill()
    attempt = start(run_dir)
    assert attempt.wait() == [ExitCode.DONE]
    assert "epoch=0-step=4.ckpt was removed to make room" in attempt.log()
    steps = [manifest.step for manifest in read_manifests(run_dir.checkpoints)]
    assert steps == [30, 8]
    assert_same_end(whole[1], run_dir)


def test_room_that_somebody_makes_in_time(whole: dict[int, RunDir], disk: Disk) -> None:
    run_dir = run_with_one_checkpoint(disk)
    disk.fill()
    attempt = start(run_dir)
    helper = threading.Thread(target=_free_at_the_second_try, args=(disk, attempt))
    helper.start()
    assert attempt.wait() == [ExitCode.DONE]
    helper.join()
    assert_same_end(whole[1], run_dir)


def _free_at_the_second_try(disk: Disk, attempt: Attempt) -> None:
    log = attempt.run_dir.attempt(attempt.number).log(0)
    while attempt.processes[0].is_alive():
        if log.exists() and "trying again" in log.read_text():
            disk.free()
            return
        time.sleep(0.05)
