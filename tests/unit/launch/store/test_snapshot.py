"""A checkout copied beside a launch: what is in the copy, and what never is."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from launch.grid import Grid
from launch.store import Store
from launch.store.snapshot import checkout_root, copy_checkout, untracked_python
from pcm.errors import RefusedError
from tests.unit.launch.conftest import ExpandGrid

HOSTILE = "sub folder/it's “é”\n$HOME.py"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my 'check:out' "
    write(folder / "code.py", "x = 1\n")
    write(folder / "gone.py", "y = 1\n")
    write(folder / HOSTILE, "z = 1\n")
    write(folder / "run.sh", "true\n").chmod(0o755)
    write(folder / ".gitignore", "*.log\n")
    (folder / "link.py").symlink_to("code.py")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "start")
    return folder


@pytest.fixture
def grid(expand_grid: ExpandGrid, checkout: Path) -> Grid:
    return replace(expand_grid(grid={"seed": [0, 1]}), checkout=checkout)


def files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_the_copy_is_what_git_tracks_as_it_is_now(checkout: Path, tmp_path: Path) -> None:
    write(checkout / "code.py", "x = 2\n")
    write(checkout / "added.py", "")
    git(checkout, "add", "added.py")
    (checkout / "gone.py").unlink()
    copy_checkout(checkout, tmp_path / "copy")
    names = {"code.py", "added.py", HOSTILE, "run.sh", ".gitignore", "link.py"}
    assert files(tmp_path / "copy") == names
    assert (tmp_path / "copy" / "code.py").read_text() == "x = 2\n"
    assert (tmp_path / "copy" / "link.py").readlink() == Path("code.py")
    assert os.access(tmp_path / "copy" / "run.sh", os.X_OK)


def test_what_git_has_never_seen_stays_where_it_is(checkout: Path, tmp_path: Path) -> None:
    for name in (".env", "new.py", "sub folder/newer.py", "some.log"):
        write(checkout / name, "TOKEN=s3cret")
    copy_checkout(checkout, tmp_path / "copy")
    assert not files(tmp_path / "copy") & {".env", "new.py", "sub folder/newer.py", "some.log"}
    write(checkout / "my 'runs*" / "sweeps" / "code" / "older.py", "")
    found = untracked_python(checkout, checkout / "my 'runs*")
    assert sorted(found) == ["new.py", "sub folder/newer.py"]
    assert "my 'runs*/sweeps/code/older.py" in untracked_python(checkout, tmp_path / "runs")


def test_a_submodule_goes_with_it(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write(other / "inner.py", "a = 1\n")
    git(other, "init", "--quiet")
    git(other, "add", ".")
    git(other, "commit", "--quiet", "-m", "start")
    git(checkout, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other))
    write(checkout / "other" / "inner.py", "a = 2\n")
    copy_checkout(checkout, tmp_path / "copy")
    assert (tmp_path / "copy" / "other" / "inner.py").read_text() == "a = 2\n"


def test_the_checkout_is_found_from_any_folder_of_it(checkout: Path) -> None:
    assert checkout_root(checkout / "sub folder") == checkout


def test_without_a_commit_there_is_no_snapshot(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="needs a git checkout with a commit"):
        checkout_root(tmp_path)
    git(tmp_path, "init", "--quiet")
    with pytest.raises(RefusedError, match="needs a git checkout with a commit"):
        checkout_root(tmp_path)


def test_a_launch_keeps_the_code_of_its_time(tmp_path: Path, grid: Grid, checkout: Path) -> None:
    write(checkout / "code.py", "x = 2\n")
    launch = Store(tmp_path / "runs").freeze(grid)
    write(checkout / "code.py", "x = 3\n")
    assert (launch.snapshot / "code.py").read_text() == "x = 2\n"
    assert launch.ships_code
    record = json.loads(launch.sweep.read_text())
    assert len(record["code"]["commit"]) == 40
    assert "+x = 2" in launch.code_diff.read_text()


def test_a_launch_without_one_says_so(tmp_path: Path, grid: Grid) -> None:
    launch = Store(tmp_path / "runs").freeze(replace(grid, checkout=None))
    assert not launch.ships_code
    assert not launch.snapshot.exists()


def test_half_a_copy_is_no_launch(
    tmp_path: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("launch.store.snapshot.shutil.copyfileobj", full_disk)
    with pytest.raises(RefusedError, match="No space left"):
        Store(tmp_path / "runs").freeze(grid)
    assert list((tmp_path / "runs" / "sweeps" / grid.name).iterdir()) == []


def test_nobody_else_may_write_in_the_copy(checkout: Path, tmp_path: Path) -> None:
    (checkout / "code.py").chmod(0o666)
    umask = os.umask(0o002)
    try:
        copy_checkout(checkout, tmp_path / "copy")
    finally:
        os.umask(umask)
    copied = [path for path in (tmp_path / "copy").rglob("*") if not path.is_symlink()]
    assert {path.name for path in copied} >= {"code.py", "sub folder"}
    assert not [path for path in copied if path.stat().st_mode & 0o022]
    assert (tmp_path / "copy" / "code.py").stat().st_mode & 0o777 == 0o644
