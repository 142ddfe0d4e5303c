import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from launch.grid import Grid
from launch.store import Store, freezing
from pcm.errors import ExitCode, RefusedError
from tests.unit.launch.conftest import ExpandGrid

LR = "model.init_args.lr"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "all the 'runs'"


@pytest.fixture
def grid(expand_grid: ExpandGrid) -> Grid:
    return expand_grid(
        name="größe 1",
        tags=["a"],
        grid={LR: [0.1, 0.2], "model": ["small.yaml", "large.yaml"], "seed": [0, 1]},
        tracker={"name": "neptune", "project": "team/vaes"},
        resources={"tasks_per_node": 2, "time": 60},
    )


def test_a_launch_is_few_files(root: Path, grid: Grid) -> None:
    launch = Store(root).freeze(grid, code_folder=root.parent)
    assert launch.path.parent == root / "sweeps" / "größe 1"
    assert sorted(path.name for path in launch.path.iterdir()) == [
        "base.json",
        "points.jsonl",
        "sweep.json",
    ]


def test_what_the_points_share_is_written_once(root: Path, grid: Grid) -> None:
    launch = Store(root).freeze(grid, code_folder=root.parent, details={"executor": "local"})
    record = json.loads(launch.sweep.read_text())
    assert record["name"] == "größe 1"
    assert record["tags"] == ["a"]
    assert record["tracker"] == {"name": "neptune", "project": "team/vaes"}
    assert record["grid"]["text"] == grid.text
    assert record["executor"] == "local"
    assert record["code"] is None
    assert record["pcm_version"]


def test_a_line_a_point_holds_the_difference(root: Path, grid: Grid) -> None:
    launch = Store(root).freeze(grid)
    records = list(launch.point_records())
    assert [record["id"] for record in records] == [point.id for point in grid.points]
    assert records[0]["changes"] == [[["model", "init_args", "lr"], 0.1]]
    assert records[0]["world_size"] == 2
    assert records[0]["resources"] == {"nodes": 1, "tasks_per_node": 2, "time": 60}
    assert {record["base"]["model"] for record in records} == {0, 1}


def test_ten_thousand_points_cost_a_handful_of_flushes(
    root: Path, expand_grid: ExpandGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = expand_grid(grid={"seed": list(range(10_000))})
    flushes: list[None] = []
    flush = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: flushes.append(flush(descriptor)))
    launch = Store(root).freeze(grid, code_folder=root.parent)
    assert len(flushes) < 10
    assert sum(1 for _ in launch.point_records()) == 10_000


def test_launches_sort_by_time(root: Path, grid: Grid) -> None:
    store = Store(root)
    launches = [store.freeze(grid).id for _ in range(5)]
    assert launches == sorted(launches)
    assert len(set(launches)) == 5


def test_half_a_launch_is_never_seen(
    root: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(freezing, "_point_record", fail)
    with pytest.raises(RefusedError, match="No space left") as caught:
        Store(root).freeze(grid)
    assert caught.value.exit_code == ExitCode.REFUSED
    assert caught.value.hint is not None
    assert "--runs-dir" in caught.value.hint
    assert list((root / "sweeps" / "größe 1").iterdir()) == []
    assert Store(root).experiments() == []


def test_a_runs_root_that_is_a_file_is_refused(root: Path, grid: Grid) -> None:
    root.write_text("not a folder")
    with pytest.raises(RefusedError, match="can't write to the runs folder"):
        Store(root).freeze(grid)


def test_nothing_secret_is_written(root: Path, grid: Grid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEPTUNE_API_TOKEN", "s3cr3t-t0ken")
    launch = Store(root).freeze(grid)
    assert all("s3cr3t-t0ken" not in path.read_text() for path in launch.path.iterdir())


def test_files_are_readable_as_usual(root: Path, grid: Grid) -> None:
    launch = Store(root).freeze(grid)
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(launch.sweep.stat().st_mode) == 0o644 & ~umask


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "my checkout"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / "code.py").write_text("x = 1\n")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "start")
    return folder


def test_a_clean_checkout_is_its_commit(root: Path, grid: Grid, checkout: Path) -> None:
    (checkout / "untracked.env").write_text("TOKEN=abc")
    launch = Store(root).freeze(grid, code_folder=checkout)
    assert launch.record["code"]["dirty"] is False
    assert len(launch.record["code"]["commit"]) == 40
    assert not launch.code_diff.exists()


def test_uncommitted_edits_are_kept(root: Path, grid: Grid, checkout: Path) -> None:
    (checkout / "code.py").write_text("x = 2\n")
    (checkout / "untracked.env").write_text("TOKEN=abc")
    launch = Store(root).freeze(grid, code_folder=checkout)
    assert launch.record["code"]["dirty"] is True
    assert "+x = 2" in launch.code_diff.read_text()
    assert "TOKEN" not in launch.code_diff.read_text()


def test_a_huge_diff_is_cut_off(
    root: Path, grid: Grid, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("launch.store.checkout.MAX_DIFF", 500)
    (checkout / "code.py").write_text("y = 2\n" * 1_000)
    launch = Store(root).freeze(grid, code_folder=checkout)
    assert launch.code_diff.stat().st_size == 500


def test_without_git_there_is_no_code_version(
    root: Path, grid: Grid, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert Store(root).freeze(grid, code_folder=checkout).record["code"] is None
