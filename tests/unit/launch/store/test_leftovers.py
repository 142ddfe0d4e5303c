"""Leftovers of killed writers go when they are old; nothing else does."""

import os
import time
from pathlib import Path

import pytest

from launch.store import Store
from launch.store.leftovers import OLD_S, remove_leftovers, remove_leftovers_of_run
from tests.local.launches import make_launch


def grow_old(path: Path) -> None:
    then = time.time() - OLD_S - 60
    os.utime(path, (then, then))


@pytest.mark.parametrize("is_old", [True, False])
def test_what_is_left_of_launches_goes_when_it_is_old(tmp_path: Path, is_old: bool) -> None:
    [experiment] = make_launch(tmp_path)
    root = Store(tmp_path).root
    unfinished = experiment.launch.path.with_name(".20250101.tmp")
    (unfinished / "code" / "pkg").mkdir(parents=True)
    (unfinished / "code" / "pkg" / "a.py").write_text("")
    experiment.launch.refusals("7_0-0").mkdir(parents=True)
    root.cancelled_folder.mkdir()
    (root.experiments_folder / "ab").mkdir(parents=True)
    left = [
        root.cancelled_folder / ".a.json.1234.tmp",
        experiment.launch.path / ".unsubmitted.json.1234.tmp",
        experiment.launch.jobs / ".refused-1.json.1234.tmp",
        experiment.launch.refusals("7_0-0") / ".7_0-0.json.1234.tmp",
    ]
    kept = [root.cancelled_folder / "a.json", experiment.launch.path / ".keep", tmp_path / "x.tmp"]
    for path in (*left, *kept):
        path.write_text("{}")
    for folder in (root.experiments_folder, root.experiments_folder / "ab"):
        left.append(folder / ".abcdef0123.0a1b.tmp")
        left[-1].mkdir()
    left.append(unfinished)
    for path in (*left, *kept):
        if is_old:
            grow_old(path)
    remove_leftovers(root, [experiment.sweep])
    assert [path.exists() for path in left] == [not is_old] * len(left)
    assert all(path.exists() for path in (*kept, experiment.launch.sweep))


def test_what_is_left_in_a_run_directory_goes_when_it_is_old(tmp_path: Path) -> None:
    [experiment] = make_launch(tmp_path)
    run_dir = experiment.create_run_dir()
    attempt = run_dir.attempt(1).path
    for folder in (run_dir.checkpoints, attempt):
        folder.mkdir(parents=True)
    left = [run_dir.checkpoints / ".a.ckpt.1.tmp", attempt / ".progress.json.1.tmp"]
    young = run_dir.path / ".metrics.csv.1.tmp"
    for path in (*left, young):
        path.write_text("")
    for path in left:
        grow_old(path)
    remove_leftovers_of_run(run_dir)
    assert not any(path.exists() for path in left)
    assert young.exists()
    assert run_dir.config.exists()
