from pathlib import Path

import pytest

from launch.grid import expand, single
from pcm.errors import ConfigError
from tests.unit.launch.conftest import WriteGrid


def test_one_experiment_without_a_grid_is_a_grid_of_one(
    config_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config_folder)
    grid = single(
        name="größe 😀",
        model="small.yaml",
        data_train="digits.yaml",
        trainer="plain.yaml",
        seed=3,
        subsample_size=50,
        tags=["a", 'b"c'],
        tracker={"name": "neptune", "project": "team/vaes"},
        checkpoint=Path("weights.ckpt"),
        resources={"tasks_per_node": 2, "nodes": None},
    )
    (point,) = grid.points
    assert grid.name == point.name == "größe 😀"
    assert (point.seed, point.subsample_size, point.world_size) == (3, 50, 2)
    assert grid.tags == ("a", 'b"c')
    assert grid.tracker == {"name": "neptune", "project": "team/vaes"}
    assert grid.starts_from == {"checkpoint": str(config_folder / "weights.ckpt")}


def test_it_is_the_same_experiment_as_in_a_grid(
    config_folder: Path, write_grid: WriteGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(config_folder)
    alone = single(name="x", model="small.yaml", data_train="digits.yaml", seed=1)
    among = expand(write_grid(grid={"seed": [0, 1]}))
    assert alone.points[0].id == among.points[1].id


def test_a_missing_file_is_a_fault(config_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(config_folder)
    with pytest.raises(ConfigError, match="command line: no such file") as raised:
        single(name="x", model="none.yaml", data_train="digits.yaml")
    assert "did you mean" not in str(raised.value)
