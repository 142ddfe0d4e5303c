"""An image copied to a node's own disk: once, whole, and out of the way again."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import filelock
import pytest

from launch.container import Container, staging
from launch.container.digest import with_digest
from launch.container.staging import staged
from pcm.errors import RefusedError
from tests.local.conftest import wait_for

CONTENT = b"an image" * 1000

Stage = Callable[[Container], tuple[Container, list[str]]]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "MARGIN", 1000)
    monkeypatch.setattr(staging, "PATIENCE_S", 0.2)


@pytest.fixture
def container(tmp_path: Path) -> Container:
    image = tmp_path / "shared é" / "my, image:é.sif"
    image.parent.mkdir()
    image.write_bytes(CONTENT)
    return replace(with_digest(Container(image)), stage=str(tmp_path / "local disk"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where copies are."""
    return tmp_path / "local disk" / f"pcm-images-{os.getuid()}"


@pytest.fixture
def stage() -> Stage:
    def stage(container: Container) -> tuple[Container, list[str]]:
        told: list[str] = []
        return staged(container, told.append, lambda: False), told

    return stage


def give_room(monkeypatch: pytest.MonkeyPatch, free: Callable[[], int]) -> None:
    """Let the disk have so many bytes free."""
    usage: Any = lambda _: SimpleNamespace(free=free())  # noqa: E731
    monkeypatch.setattr("launch.container.staging.shutil.disk_usage", usage)


def aged(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(b"older")
    when = time.time() - seconds
    os.utime(path, (when, when))
    return path


def test_an_image_is_copied_once(container: Container, folder: Path, stage: Stage) -> None:
    found, told = stage(container)
    assert found == replace(container, image=folder / f"{container.sha256}.sif")
    assert found.image.read_bytes() == CONTENT
    assert "was copied to" in told[0]
    written = found.image.stat().st_ino
    again, told = stage(container)
    assert (again, told) == (found, [])
    assert again.image.stat().st_ino == written
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_many_ranks_copy_once(
    container: Container, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "PATIENCE_S", 120.0)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(stage, [container] * 8))
    assert len({found.image for found, _ in results}) == 1
    assert sum(len(told) for _, told in results) == 1


def test_nothing_is_copied_unless_it_is_asked_for(
    container: Container, tmp_path: Path, stage: Stage
) -> None:
    assert stage(replace(container, stage=None)) == (replace(container, stage=None), [])
    sandbox = Container(tmp_path, stage=container.stage)
    assert stage(sandbox) == (sandbox, [])
    assert not (tmp_path / "local disk").exists()


def test_a_torn_copy_is_made_again(container: Container, folder: Path, stage: Stage) -> None:
    torn = aged(folder / f"{container.sha256}.sif", 0)
    left = aged(folder / "0123.part", 0)
    found, _ = stage(container)
    assert found.image == torn
    assert torn.read_bytes() == CONTENT
    assert not left.exists()


KILLED = """\
import sys
from pathlib import Path
from launch.container import Container
from launch.container.staging import staged
image, sha256, stage = sys.argv[1:]
staged(Container(Path(image), sha256=sha256, size=8000, stage=stage), print, lambda: False)
"""


def test_a_killed_copy_is_made_again(container: Container, folder: Path, stage: Stage) -> None:
    # Reading it stands still, as on a slow file server.
    slow = container.image.with_name("slow.sif")
    os.mkfifo(slow)
    words = [str(slow), str(container.sha256), str(container.stage)]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *words])
    part = folder / f"{container.sha256}.part"
    with slow.open("wb"):
        wait_for(part.exists, 120)
        process.kill()
        process.wait()
    assert part.exists()
    found, _ = stage(container)
    assert found.image.read_bytes() == CONTENT
    assert not part.exists()


def test_an_image_that_changed_is_refused(container: Container, folder: Path, stage: Stage) -> None:
    container.image.write_bytes(b"another" * 1000)
    with pytest.raises(RefusedError, match="has changed since the launch"):
        stage(container)
    assert {path.name for path in folder.iterdir()} <= {"lock"}


def test_a_full_disk_leaves_the_image_where_it_is(
    container: Container, folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_room(monkeypatch, lambda: len(CONTENT) + 999)
    found, told = stage(container)
    assert found == container
    assert "is used where it is" in told[0]
    assert not list(folder.glob("*.sif"))


def test_a_disk_that_fills_meanwhile_does_no_harm(
    container: Container, folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device", "x.part")

    monkeypatch.setattr("launch.container.staging.os.fsync", full)
    found, told = stage(container)
    assert found == container
    assert "No space left" in told[0]
    assert {path.name for path in folder.iterdir()} <= {"lock"}


def test_nobody_copies_for_training_that_is_to_stop(container: Container, folder: Path) -> None:
    told: list[str] = []
    assert staged(container, told.append, lambda: True) == container
    assert "a stop was asked for" in told[0]
    assert {path.name for path in folder.iterdir()} <= {"lock"}


def test_what_was_used_longest_ago_makes_room(
    container: Container, folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, old, new = (
        aged(folder / f"{name}.sif", seconds)
        for name, seconds in (("a", 5000), ("b", 4000), ("c", 5))
    )
    give_room(monkeypatch, lambda: 0 if older.exists() else 1 << 30)
    found, _ = stage(container)
    assert found.image.parent == folder
    assert (older.exists(), old.exists(), new.exists()) == (False, True, True)


def test_what_was_just_given_out_stays(
    container: Container, folder: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = aged(folder / "c.sif", 5)
    give_room(monkeypatch, lambda: 0)
    assert stage(container)[0] == container
    assert new.exists()


def test_what_nobody_has_used_for_long_goes(
    container: Container, folder: Path, stage: Stage
) -> None:
    found, _ = stage(container)
    stale = aged(folder / "a.sif", staging.KEPT_S + 60)
    stage(container)
    assert not stale.exists()
    assert found.image.exists()


def test_a_folder_that_others_may_write_to_is_not_trusted(
    container: Container, folder: Path, tmp_path: Path, stage: Stage
) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    found, told = stage(container)
    assert found == container
    assert "others could write" in told[0]
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert stage(container)[0] == container


def test_an_endless_copy_is_not_waited_for(
    container: Container, folder: Path, stage: Stage
) -> None:
    folder.mkdir(parents=True, mode=0o700)
    with filelock.FileLock(folder / "lock"):
        found, told = stage(container)
    assert found == container
    assert "another job has been copying" in told[0]


def test_variables_are_the_nodes(
    container: Container, tmp_path: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_DISK", str(tmp_path / "its disk"))
    found, _ = stage(replace(container, stage="$NODE_DISK/images"))
    assert found.image.is_relative_to(tmp_path / "its disk" / "images")
    left = replace(container, stage="$NO_SUCH_VARIABLE/images")
    found, told = stage(left)
    assert found == left
    assert "no absolute path" in told[0]
