"""What is wrong in one place of a grid file hides nothing of what is wrong in another."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from launch.grid import expand
from pcm.errors import ConfigError
from tests.unit.launch.conftest import BASE, WriteGrid

LR = "model.init_args.lr"

WRONG: Mapping[str, Any] = {
    "name": "a/b",
    "tags": "vae",
    "gird": {},
    "seed": -1,
    "set": {"trainer.nothing.here": 1},
    "grid": {"trainer.num_nodes": ["two"]},
    "zip": [{LR: [1, 2], "seed": [0]}],
    "random": {"n": "three", "axes": {"subsample_size": {"uniform": [2, 1]}}},
    "include": [{"seed.x": 1}],
    "resources": {"nods": 1, "time": "5 parsecs"},
    "notify": "nobody",
    "tracker": "abacus",
    "preload": ["1x"],
    "checkpoints": {"every": "now and then"},
    "base": {**BASE, "data_train": "large.yaml"},
}


def told(path: Path) -> set[tuple[str | None, str]]:
    """Places and problems; every fault has a file, a key and a line."""
    with pytest.raises(ConfigError) as caught:
        expand(path)
    for fault in caught.value.faults:
        assert fault.file
        assert fault.key
        assert fault.line
    return {(fault.key, fault.problem) for fault in caught.value.faults}


def test_of_two_places_each_is_told_as_if_it_were_alone(write_grid: WriteGrid) -> None:
    alone = {key: told(write_grid(**{key: value})) for key, value in WRONG.items()}
    for first, second in itertools.combinations(WRONG, 2):
        both = told(write_grid(**{key: WRONG[key] for key in (first, second)}))
        assert both == alone[first] | alone[second], (first, second)


def test_all_places_are_told_at_once(write_grid: WriteGrid) -> None:
    alone = {key: told(write_grid(**{key: value})) for key, value in WRONG.items()}
    assert told(write_grid(**WRONG)) == set().union(*alone.values())


@pytest.mark.parametrize(
    "base",
    [
        {**BASE, "data_train": 3},
        {key: BASE[key] for key in ("model", "trainer")},
        {**BASE, "data_train": "none.yaml"},
    ],
)
def test_of_a_grid_without_one_of_its_files_the_rest_is_looked_at(
    write_grid: WriteGrid, base: Mapping[str, Any]
) -> None:
    faults = told(
        write_grid(base=base, grid={"model.nothing.here": [1], "trainer.num_nodes": [{}]})
    )
    assert {key for key, _ in faults} >= {"model.nothing.here", "trainer.num_nodes"}


def test_of_a_grid_with_a_wrong_file_the_others_are_checked_by_their_rules(
    write_grid: WriteGrid,
) -> None:
    # Each needs a look at the whole section: what else is in it decides.
    wrong = {"trainer.kwargs.max_epoch": [1], "trainer.kwargs.precision": ["17", "32-true"]}
    alone = told(write_grid(grid=wrong))
    assert {key for key, _ in alone} == wrong.keys()
    both = told(write_grid(base={**BASE, "data_train": "none.yaml"}, grid=wrong))
    assert both >= alone
    assert "data_train" in {key for key, _ in both}


def test_what_a_wrong_entry_would_have_set_is_not_told_as_lacking(write_grid: WriteGrid) -> None:
    """`mem_per_gpu` has its effect as soon as the number of GPUs is one."""
    wrong = {"gpus_per_node": "four", "mem_per_gpu": "1G"}
    assert {key for key, _ in told(write_grid(resources=wrong))} == {"resources.gpus_per_node"}


def test_an_axis_that_is_wrong_is_not_told_as_a_lack_of_its_param(write_grid: WriteGrid) -> None:
    run = {"command": ["python", "train.py", "{lr}", "{width}"]}
    path = write_grid(base=None, run=run, grid={"run.params.lr": 1, "run.params.width": [1]})
    assert {key for key, _ in told(path)} == {"grid.run.params.lr"}


def test_more_ranks_than_can_be_counted(write_grid: WriteGrid) -> None:
    most = 2**31 - 1
    faults = told(write_grid(resources={"nodes": most, "tasks_per_node": most}))
    assert faults == {("resources.nodes", "too many ranks")}
    faults = told(write_grid(resources={"nodes": most + 1}))
    assert faults == {("resources.nodes", "not understood")}


def test_a_path_of_thousands_of_digits(write_grid: WriteGrid) -> None:
    path = f"model.init_args.layers.{'9' * 5000}.width"
    assert {problem for _, problem in told(write_grid(grid={path: [1]}))} == {
        f"'model.init_args.layers' has no '{'9' * 5000}'"
    }


def test_devices_that_are_no_numbers_beside_gpus(write_grid: WriteGrid) -> None:
    axes = {"trainer.devices": [[0, "a"]]}
    faults = told(write_grid(grid=axes, resources={"gpus_per_node": 2}))
    assert {key for key, _ in faults} == {"trainer.devices.1"}


SGD = "optimizer: {class_path: torch.optim.SGD, init_args: {lr: 0.1}}\n"

INTO_MODEL: Mapping[str, list[Any]] = {
    "model.optimizer.init_args.momentum": [0.9, -1],
    "model.optimzer.init_args.lr": [1],
    "model.init_args.lr": ["${lr}", 1],
    "model.init_args.layers.third.width": [3],
    "model.optimizer.class_path": ["torch.optim.SGD", 3],
}


@pytest.mark.parametrize("entry", ["grid", "set", "include", "random"])
def test_of_a_file_that_is_wrong_what_leads_into_it_is_looked_at(
    write_grid: WriteGrid, config_folder: Path, entry: str
) -> None:
    entries: dict[str, Any] = {
        "grid": INTO_MODEL,
        "set": {path: values[-1] for path, values in INTO_MODEL.items()},
        "include": [{path: value} for path, values in INTO_MODEL.items() for value in values],
        "random": {
            "n": 9,
            "axes": {path: {"choice": values} for path, values in INTO_MODEL.items()},
        },
    }
    file = config_folder / "models" / "small.yaml"
    file.write_text(file.read_text() + SGD)
    alone = told(write_grid(**{entry: entries[entry]}))
    assert alone
    file.write_text(file.read_text().replace("0.1", "-0.1"))
    both = told(write_grid(**{entry: entries[entry]}))
    plain = {(key, problem.partition(" (in ")[0]) for key, problem in alone}
    assert both == plain | {("optimizer.init_args.lr", "out of range")}


def test_what_may_be_there_once_a_file_is_mended_is_not_told_as_lacking(
    write_grid: WriteGrid, config_folder: Path
) -> None:
    file = config_folder / "models" / "small.yaml"
    file.write_text(file.read_text() + SGD.replace("optimizer", "optimzer"))
    axes = {"model.optimizer.init_args.lr": [1, -1], "model.init_args.layers.third.width": [3]}
    places = {key for key, _ in told(write_grid(grid=axes))}
    assert places == {"optimzer", "model.init_args.layers.third.width"}
    file.write_text("{3: 1}\n")
    with pytest.raises(ConfigError) as caught:
        expand(write_grid(grid=axes))
    assert {fault.file for fault in caught.value.faults} == {str(file)}


def test_values_of_an_axis_into_one_of_several_files(
    write_grid: WriteGrid, config_folder: Path
) -> None:
    large = config_folder / "models" / "large.yaml"
    large.write_text(large.read_text() + SGD.replace("0.1", "-0.1"))
    axes = {"model": ["small.yaml", "large.yaml"], "model.init_args.lr": ["${lr}"]}
    faults = told(write_grid(grid=axes))
    assert {key for key, _ in faults} == {"optimizer.init_args.lr", "model.init_args.lr"}
