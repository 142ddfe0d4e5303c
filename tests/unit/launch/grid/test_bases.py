from pathlib import Path

import pytest

from launch.config_folders import config_folders
from launch.grid import find_file
from pcm.errors import Fault


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "working folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PCM_CONFIG_DIR", raising=False)
    return folder


def put(folder: Path, name: str = "a.yaml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("x: 1\n")
    return path


def test_beside_the_grid_comes_first(here: Path, tmp_path: Path) -> None:
    grids = tmp_path / "config" / "grids"
    beside, above = put(grids), put(tmp_path / "config" / "models")
    assert find_file("a.yaml", "model", grids) == beside
    beside.unlink()
    assert find_file("a.yaml", "model", grids) == above


def test_then_the_working_folder_then_the_environment(
    here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCM_CONFIG_DIR", str(tmp_path / "shared"))
    working, shared = put(here / "config" / "data"), put(tmp_path / "shared" / "data")
    elsewhere = tmp_path / "grids"
    assert find_file("a.yaml", "data_val", elsewhere) == working.relative_to(here)
    working.unlink()
    assert find_file("a.yaml", "data_val", elsewhere) == shared


def test_the_nearest_folder_above_with_models_counts(here: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    near = tmp_path / "project" / "config"
    (near / "models").mkdir(parents=True)
    assert config_folders(near / "grids" / "old")[0] == near


def test_a_whole_path_is_taken_as_it_is(here: Path, tmp_path: Path) -> None:
    path = put(tmp_path / "else where")
    assert find_file(str(path), "trainer", here) == path
    assert find_file("../else where/a.yaml", "trainer", here) == Path("../else where/a.yaml")


def test_data_files_are_not_sought_among_models(here: Path, tmp_path: Path) -> None:
    put(tmp_path / "config" / "models")
    fault = find_file("a.yaml", "data_train", tmp_path / "config" / "grids")
    assert isinstance(fault, Fault)
    assert fault.found == "a.yaml"
    assert fault.expected is not None
    assert "data" in fault.expected


def test_a_name_that_no_file_can_have_is_a_fault_too(here: Path) -> None:
    fault = find_file(f"{'a' * 5_000}.yaml", "model", here)
    assert isinstance(fault, Fault)
    assert fault.problem == "no such file"
