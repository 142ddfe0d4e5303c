"""`checkpoints:` of a grid file and of a trainer file: outside of what an experiment is."""

from pathlib import Path
from typing import Any

import pytest

from launch.grid import Grid, expand
from launch.store import Store
from launch.store.run_dirs import create_run_dir
from pcm.errors import ConfigError
from pcm.run_dir.checkpoint_interval import Interval
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
    assert frozen(grid, tmp_path / "both") == Checkpointing(3.0, 1, "val/acc", Mode.MAX, 3, "auto")


@pytest.mark.parametrize(
    ("written", "frozen_as"),
    [
        ("auto", "auto"),
        ("10m", "10 minutes"),
        ("1.5 h", "90 minutes"),
        ("30s", "0.5 minutes"),
        ({"minutes": 2}, "2 minutes"),
        ({"steps": 500}, "500 steps"),
        ("1 epoch", "1 epochs"),
    ],
)
def test_how_often(expand_grid: ExpandGrid, tmp_path: Path, written: Any, frozen_as: str) -> None:
    wanted = frozen(expand_grid(checkpoints={"every": written}), tmp_path)
    assert (wanted.every, wanted.minutes) == (frozen_as, None)
    assert str(Interval.parse(wanted.every)) == frozen_as


def test_the_grid_file_says_how_often_in_its_own_way(
    config_folder: Path, expand_grid: ExpandGrid, tmp_path: Path
) -> None:
    say_in_trainer_file(config_folder, "{minutes: 3}")
    wanted = frozen(expand_grid(checkpoints={"every": {"epochs": 2}}), tmp_path)
    assert (wanted.every, wanted.minutes) == ("2 epochs", None)


def test_the_newest_launch_counts(expand_grid: ExpandGrid, tmp_path: Path) -> None:
    assert frozen(expand_grid(checkpoints={"minutes": 1}), tmp_path / "runs").minutes == 1.0
    assert frozen(expand_grid(checkpoints={"minutes": 2.5}), tmp_path / "runs").minutes == 2.5
    assert frozen(expand_grid(), tmp_path / "runs").every == "auto"


@pytest.mark.parametrize(
    ("checkpoints", "key", "problem"),
    [
        ({"minutes": 0}, "minutes", "out of range"),
        ({"minutes": "often"}, "minutes", "fits no alternative"),
        ({"every": "often"}, "every", "no interval"),
        ({"every": {"steps": 1.5}}, "every", "no interval"),
        ({"every": {"steps": 0}}, "every", "no interval"),
        ({"every": 15}, "every", "no interval"),
        ({"every": "1h", "minutes": 60}, "minutes", "`every` says how often"),
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
