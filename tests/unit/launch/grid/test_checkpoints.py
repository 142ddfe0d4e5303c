"""`checkpoints:` of a grid file and of a trainer file: outside of what an experiment is."""

from pathlib import Path
from typing import Any

import pytest

from launch.grid import Grid, expand
from launch.store import Store, create_run_dir
from pcm.errors import ConfigError
from pcm.run_dir.checkpointing import Checkpointing, Mode, read_checkpointing
from tests.unit.launch.conftest import ExpandGrid, WriteGrid

ACCURACY = {"monitor": "val/acc", "mode": "max", "keep_best": 3}


def say_in_trainer_file(config_folder: Path, text: str) -> None:
    with (config_folder / "trainer" / "plain.yaml").open("a") as stream:
        stream.write(f"checkpoints: {text}\n")


def frozen(grid: Grid, root: Path) -> Checkpointing:
    """What training of the grid's only point is told."""
    launch = Store(root).freeze(grid)
    return read_checkpointing(create_run_dir(launch.path, grid.points[0].id))


def test_they_are_no_part_of_the_identity(config_folder: Path, expand_grid: ExpandGrid) -> None:
    (plain,) = expand_grid().points
    (grid_said,) = expand_grid(checkpoints=ACCURACY).points
    say_in_trainer_file(config_folder, "{minutes: 3}")
    (both_said,) = expand_grid(checkpoints=ACCURACY).points
    assert plain.identity == grid_said.identity == both_said.identity


def test_training_is_told(config_folder: Path, expand_grid: ExpandGrid, tmp_path: Path) -> None:
    assert frozen(expand_grid(), tmp_path / "nothing") == Checkpointing()
    say_in_trainer_file(config_folder, "{minutes: 3, keep: 5, keep_best: null}")
    grid = expand_grid(checkpoints={"keep": 1, **ACCURACY})
    assert frozen(grid, tmp_path / "both") == Checkpointing(3.0, 1, "val/acc", Mode.MAX, 3)


def test_the_newest_launch_counts(expand_grid: ExpandGrid, tmp_path: Path) -> None:
    assert frozen(expand_grid(checkpoints={"minutes": 1}), tmp_path / "runs").minutes == 1.0
    assert frozen(expand_grid(checkpoints={"minutes": 2.5}), tmp_path / "runs").minutes == 2.5
    assert frozen(expand_grid(), tmp_path / "runs").minutes == 15.0


@pytest.mark.parametrize(
    ("checkpoints", "key", "problem"),
    [
        ({"minutes": 0}, "minutes", "out of range"),
        ({"minutes": "often"}, "minutes", "fits no alternative"),
        ({"keep": 0}, "keep", "out of range"),
        ({"keep_best": -1}, "keep_best", "out of range"),
        ({"monitor": "val/acc", "mode": "maximum"}, "mode", "unknown mode"),
        ({"mode": "max"}, "mode", "a mode of no metric"),
        ({"kep": 2}, "kep", "unknown key"),
    ],
)
def test_faults_have_their_line(
    write_grid: WriteGrid, checkpoints: dict[str, Any], key: str, problem: str
) -> None:
    path = write_grid(checkpoints=checkpoints)
    with pytest.raises(ConfigError) as caught:
        expand(path)
    (fault,) = caught.value.faults
    assert fault.key == f"checkpoints.{key}"
    assert problem in fault.problem
    lines = path.read_text().splitlines()
    assert lines[(fault.line or 0) - 1].strip().startswith(f"{key}:")


def test_a_fault_of_the_trainer_file_is_told_there(
    config_folder: Path, write_grid: WriteGrid
) -> None:
    say_in_trainer_file(config_folder, "{keep: two}")
    with pytest.raises(ConfigError) as caught:
        expand(write_grid())
    (fault,) = caught.value.faults
    assert str(fault.file).endswith("plain.yaml")
    assert (fault.line, fault.key) == (6, "checkpoints.keep")
