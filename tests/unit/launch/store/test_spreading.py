"""Where run directories and markers lie: spread over folders, or where they were before that."""

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.store import RunsRoot, Store
from launch.store.markers import cancel, uncancel
from launch.store.spreading import make_part
from launch.store.started import cancelled_ids, run_folders
from tests.local.launches import make_launch

IDS = [hashlib.sha256(str(number).encode()).hexdigest()[:10] for number in range(10_000)]


@pytest.fixture
def strict_umask() -> Iterator[None]:
    former = os.umask(0o022)
    yield
    os.umask(former)


def test_no_folder_gets_thousands(tmp_path: Path) -> None:
    root = RunsRoot(tmp_path)
    for place in (lambda id_: root.run_dir(id_).path, root.cancelled):
        paths = [place(each) for each in IDS]
        assert len(set(paths)) == len(IDS)
        folders = Counter(path.parent for path in paths)
        assert max(folders.values()) < 100
        assert len(folders) <= 256


def test_what_lies_where_earlier_versions_put_it_is_found(tmp_path: Path) -> None:
    root = RunsRoot(tmp_path)
    former, new = IDS[:2]
    (root.experiments_folder / former).mkdir(parents=True)
    root.run_dir(new).path.mkdir(parents=True)
    assert root.run_dir(former).path == root.experiments_folder / former
    assert root.run_dir(new).path == root.experiments_folder / new[:2] / new
    assert run_folders(root) == {each: str(root.run_dir(each).path) for each in (former, new)}


def test_what_is_there_twice_is_one_for_all(tmp_path: Path) -> None:
    root = RunsRoot(tmp_path)
    root.run_dir(IDS[0]).path.mkdir(parents=True)
    (root.experiments_folder / IDS[0]).mkdir()
    assert run_folders(root) == {IDS[0]: str(root.run_dir(IDS[0]).path)}


def test_a_former_run_directory_is_gone_on_with(tmp_path: Path) -> None:
    [experiment] = make_launch(tmp_path)
    run_dir = experiment.create_run_dir()
    former = RunsRoot(tmp_path).experiments_folder / experiment.id
    run_dir.path.rename(former)
    assert experiment.create_run_dir().path == former
    assert experiment.folder == str(former)
    assert list(run_dir.path.parent.iterdir()) == []


def test_former_markers_hold_and_are_taken_back(tmp_path: Path) -> None:
    [experiment] = make_launch(tmp_path)
    root = Store(tmp_path).root
    root.cancelled_folder.mkdir()
    former = root.cancelled_folder / f"{experiment.id}.json"
    former.write_text("{}")
    assert cancelled_ids(root) == {experiment.id}
    assert not cancel(root, experiment.id)
    uncancel(root, experiment.id)
    assert cancelled_ids(root) == set()
    assert cancel(root, experiment.id)
    assert cancelled_ids(root) == {experiment.id}
    assert not former.exists()
    uncancel(root, experiment.id)
    assert cancelled_ids(root) == set()


@pytest.mark.usefixtures("strict_umask")
def test_who_may_make_run_directories_may_in_every_part(tmp_path: Path) -> None:
    shared = tmp_path / "experiments"
    shared.mkdir()
    shared.chmod(0o1775)
    make_part(shared / "ab")
    assert stat.S_IMODE((shared / "ab").stat().st_mode) == 0o1775
