from pathlib import Path
from typing import Any

import pytest

from launch.grid import expand
from pcm.errors import ConfigError, ExitCode, Fault
from tests.unit.launch.conftest import ExpandGrid, WriteGrid

LR = "model.init_args.lr"
WIDTH = "model.init_args.layers.second.kwargs.width"


def faults_of(path: Path, **flags: Any) -> tuple[Fault, ...]:
    with pytest.raises(ConfigError) as caught:
        expand(path, **flags)
    assert caught.value.exit_code == ExitCode.CONFIG_INVALID
    return caught.value.faults


def line_with(path: Path, text: str) -> int:
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


@pytest.mark.parametrize(
    ("entries", "problem", "hint"),
    [
        ({"grid": {"model.init_args.lrr": [1]}}, None, None),
        ({"grid": {"model.init_arg.lr": [1]}}, "has no 'init_arg'", "did you mean 'init_args'?"),
        (
            {"grid": {"model.init_args.layers.secnd.kwargs.width": [1]}},
            "has no 'secnd'",
            "did you mean 'second'?",
        ),
        ({"grid": {"modle.init_args.lr": [1]}}, "no such place", "did you mean 'model'?"),
        ({"set": {"traner.devices": 1}}, "no such place", "did you mean 'trainer'?"),
        ({"include": [{"sed": 1}]}, "no such place", "did you mean 'seed'?"),
        # Steps of the way are left out.
        ({"grid": {"model.lr": [1]}}, "unknown key 'lr'", "did you mean 'init_args.lr'?"),
        (
            {"grid": {"lr": [1]}},
            "no such place",
            "an argument of a class is at model.init_args.lr, the Trainer's at trainer.kwargs",
        ),
        ({"grid": {"init_args.lr": [1]}}, "no such place", "did you mean 'model.init_args.lr'?"),
        ({"exclude": [{"model.init_args.layers.9.x": 1}]}, "has no '9'", None),
        ({"grid": {LR: []}}, "an axis without values", "give it a value, or leave it out"),
        ({"grid": {LR: 0.1}}, "an axis needs a list of values", "write a list, e.g. [0.1]"),
        ({"zip": [{LR: [1, 2], "seed": [1, 2, 3]}]}, "differ in length", None),
        ({"set": {LR: 1}, "grid": {LR: [1]}}, "is set in line", None),
        ({"grid": {"seed": [1]}, "zip": [{"seed": [1]}]}, "is set in line", None),
        ({"zip": [{"seed": [1]}, {"seed": [2]}]}, "is set in line", None),
        (
            {"grid": {WIDTH: [1], "model.init_args.layers.1.kwargs.width": [2]}},
            "changes the same place as",
            None,
        ),
        (
            {"set": {WIDTH: 3}, "grid": {"model.init_args.layers": [[]]}},
            "changes the same place as",
            None,
        ),
        ({"grid": {"model": [{"class_path": "a.B"}]}}, "not a file's name", None),
        ({"set": {"model": 3}}, "not a file's name", None),
        ({"set": {"seed.x": 5}}, "nothing is below 'seed'", None),
        ({"grid": {"seed.x": [5]}}, "nothing is below 'seed'", None),
        ({"set": {"subsample_size.x": 5}}, "nothing is below 'subsample_size'", None),
        ({"name": "50%"}, "a '%', a mark of Slurm's own", None),
        ({"random": {"n": 0, "axes": {}}}, "out of range", None),
        ({"random": {"n": 3, "axes": {}}}, "draws without axes", None),
        ({"random": {"n": 1, "axes": {LR: {"log_unifrom": [1, 2]}}}}, "no such distribution", None),
        ({"random": {"n": 1, "axes": {LR: {"uniform": [2, 1]}}}}, "low end must be below", None),
        ({"random": {"n": 1, "axes": {LR: [1, 2]}}}, "expected one distribution", None),
        ({"random": {"n": 1, "axes": {LR: {"choice": []}}}}, "needs a list of values", None),
        ({"random": {"n": 10**9, "axes": {LR: {"uniform": [0, 1]}}}}, "out of range", None),
        (
            {"grid": {"seed": list(range(2000)), LR: list(range(2000))}},
            "the axes make 4,000,000 points",
            None,
        ),
        ({"name": "a/b"}, "slash", None),
        ({"name": "../b"}, "slash", None),
        ({"name": ".hidden"}, "can't begin with '.'", None),
        ({"name": "-rf"}, "can't begin with '-'", None),
        ({"name": " "}, "empty name", None),
        ({"name": "a\nb"}, "control character", None),
        ({"name": "ö" * 51}, "more than 100 bytes", None),
        ({"resources": {"time": "soon"}}, "not understood", None),
        ({"grid": {"resources.nodez": [1]}}, "unknown resource", "did you mean 'nodes'?"),
        ({"grid": {"resources.mem": ["lots"]}}, "not understood", None),
        ({"grid": {"seed": ["one"]}}, "wrong type", None),
        ({"gird": {}}, "unknown key 'gird'", "did you mean 'grid'?"),
        ({"seed": True}, "wrong type", None),
        ({"exclude": [{"seed": 0}]}, "every point is excluded", None),
        ({"base": {"model": "small.yaml"}}, "missing key 'data_train'", None),
    ],
)
def test_each_mistake_has_its_answer(
    write_grid: WriteGrid, entries: dict[str, Any], problem: str | None, hint: str | None
) -> None:
    path = write_grid(**entries)
    if problem is None:
        # A class of the user's own may take any argument.
        assert expand(path).points
        return
    faults = faults_of(path)
    assert len(faults) == 1
    assert problem in faults[0].problem
    assert faults[0].file == str(path)
    if hint is not None:
        assert faults[0].hint == hint


def test_faults_name_the_line_of_the_axis(write_grid: WriteGrid) -> None:
    path = write_grid(grid={"seed": [0, 1], "model.init_args.nothing.here": [1]})
    (fault,) = faults_of(path)
    assert fault.line == line_with(path, "nothing.here")


def test_all_faults_come_out_at_once(write_grid: WriteGrid, config_folder: Path) -> None:
    (config_folder / "trainer" / "plain.yaml").write_text("{callbacks: [], devices: null}\n")
    path = write_grid(name="a/b", set={"model.nothing.at.all": 1}, zip=[{LR: [1], "seed": [1, 2]}])
    problems = [fault.problem for fault in faults_of(path)]
    assert any("slash" in problem for problem in problems)
    assert any("has no 'nothing'" in problem for problem in problems)
    assert any("missing key 'kwargs'" in problem for problem in problems)
    assert any("differ in length" in problem for problem in problems)


def test_a_shared_fault_is_told_once_with_its_count(write_grid: WriteGrid) -> None:
    path = write_grid(grid={"seed": list(range(500)), "trainer.num_nodes": ["two"]})
    (fault,) = faults_of(path)
    assert fault.problem == "fits no alternative (in 500 points)"
    assert fault.key == "trainer.num_nodes"
    assert fault.line == line_with(path, "trainer.num_nodes")
    assert fault.found is not None
    assert "two" in fault.found


def test_a_faulty_value_is_counted_with_its_own_points_only(write_grid: WriteGrid) -> None:
    path = write_grid(grid={"seed": [0, 1, 2], "trainer.num_nodes": [1, "two", 3.5]})
    faults = faults_of(path)
    assert [fault.problem for fault in faults] == ["fits no alternative (in 3 points)"] * 2


def test_a_flood_of_faults_is_cut_off(write_grid: WriteGrid) -> None:
    path = write_grid(grid={"trainer.num_nodes": [f"no {index}" for index in range(80)]})
    faults = faults_of(path)
    assert len(faults) == 51
    assert faults[-1].problem == "and 30 more like these"


def test_faults_of_a_fixed_override_are_placed_there(write_grid: WriteGrid) -> None:
    path = write_grid(set={"trainer.devices": 1.5}, grid={"seed": [0, 1]})
    (fault,) = faults_of(path)
    assert fault.line == line_with(path, "trainer.devices")
    assert fault.problem.endswith("(in 2 points)")


def test_faults_of_a_flag_name_the_flag(write_grid: WriteGrid) -> None:
    path = write_grid()
    (fault,) = faults_of(path, overrides={"trainer.devices": 1.5})
    assert (fault.file, fault.line, fault.key) == ("--set", None, "trainer.devices")
    (fault,) = faults_of(path, overrides={"model.init_arg.lr": 1})
    assert fault.file == "--set"
    (fault,) = faults_of(path, overrides={"nonsense": 1})
    assert (fault.file, fault.key) == ("--set", "nonsense")
    (fault,) = faults_of(path, overrides={"resources.time": "never"})
    assert (fault.file, fault.key) == ("--set", "resources.time")
    (fault,) = faults_of(path, resources={"time": "never"})
    assert (fault.file, fault.key, fault.found) == ("--time", None, '"never"')
    (fault,) = faults_of(path, overrides={"seed": -1})
    assert (fault.file, fault.key) == ("--set", "seed")


def test_a_missing_base_file_says_where_it_was_sought(
    write_grid: WriteGrid, config_folder: Path
) -> None:
    base = {"model": "smal.yaml", "data_train": "digits.yaml", "trainer": "plain.yaml"}
    path = write_grid(base=base)
    (fault,) = faults_of(path)
    assert fault.problem == "no such file"
    assert fault.line == line_with(path, "smal.yaml")
    assert fault.found == "smal.yaml"
    assert fault.hint == "did you mean 'small.yaml'?"
    assert fault.expected is not None
    assert str(config_folder / "models" / "smal.yaml") in fault.expected
    assert str(config_folder / "grids" / "smal.yaml") in fault.expected


def test_a_folder_is_no_base_file(write_grid: WriteGrid, config_folder: Path) -> None:
    (config_folder / "models" / "folder.yaml").mkdir()
    base = {"model": "folder.yaml", "data_train": "digits.yaml", "trainer": "plain.yaml"}
    (fault,) = faults_of(write_grid(base=base))
    assert fault.problem == "this is a folder"


def test_faults_of_a_base_file_come_once_however_many_points(
    expand_grid: ExpandGrid, config_folder: Path
) -> None:
    trainer = config_folder / "trainer" / "plain.yaml"
    trainer.write_text(trainer.read_text().replace("kwargs: {}", "kwargs: {presicion: 16}"))
    with pytest.raises(ConfigError) as caught:
        expand_grid(grid={"seed": [0, 1, 2]})
    (fault,) = caught.value.faults
    assert "presicion" in fault.problem
    assert fault.file is not None
    assert fault.file.endswith("plain.yaml")
    assert fault.line == 5


def test_a_grid_that_is_no_mapping(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- a\n- b\n")
    (fault,) = faults_of(path)
    assert fault.problem == "wrong type"


def test_a_grid_that_is_not_there(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "none.yaml")
    assert fault.problem == "no such file"


@pytest.mark.parametrize(
    ("resources", "key"),
    [
        ({"mem_per_gpu": "1G"}, "mem_per_gpu"),
        ({"cpus_per_gpu": 4}, "cpus_per_gpu"),
        ({"gpu_type": "a100", "gpus_per_node": 0}, "gpu_type"),
        ({"tasks_per_node": 2, "gpus_per_node": 4}, "tasks_per_node"),
        ({"mem": "1G", "mem_per_gpu": "1G", "gpus_per_node": 4}, "mem"),
        ({"cpus_per_task": 2, "cpus_per_gpu": 2, "gpus_per_node": 4}, "cpus_per_task"),
    ],
)
def test_a_key_without_effect_is_a_fault_of_the_file(
    write_grid: WriteGrid, resources: dict[str, Any], key: str
) -> None:
    path = write_grid(resources=resources)
    (fault,) = faults_of(path)
    assert fault.problem.startswith("no effect")
    assert (fault.key, fault.line) == (f"resources.{key}", line_with(path, f"  {key}:"))


def test_a_key_that_has_an_effect_for_some_points_is_none(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        grid={"resources.gpus_per_node": [0, 2]},
        resources={"mem_per_gpu": "1G", "tasks_per_node": 3, "mem": "5G"},
    )
    assert [point.resources.mem_per_node for point in grid.points] == [5120, 2048]


def test_what_a_flag_leaves_without_effect_is_no_fault_of_the_file(write_grid: WriteGrid) -> None:
    path = write_grid(resources={"gpus_per_node": 2, "mem_per_gpu": "1G"})
    expand(path, resources={"gpus_per_node": 0})
    expand(path, resources={"mem": "3G"})
    (fault,) = faults_of(path, resources={"tasks_per_node": 3})
    assert (fault.file, fault.key) == ("--tasks-per-node", None)


def test_a_grid_of_a_million_points_is_counted_and_not_made(write_grid: WriteGrid) -> None:
    path = write_grid(
        grid={"seed": list(range(1000))},
        zip=[{"subsample_size": list(range(1, 1001)), LR: list(range(1, 1001))}],
        include=[{"seed": 0}],
    )
    (fault,) = faults_of(path)
    assert "1,000,001 points" in fault.problem
    assert (fault.line, fault.expected) == (line_with(path, "grid:"), "at most 100,000")
    assert fault.hint is not None
    assert "`random`" in fault.hint


@pytest.mark.parametrize("digits", [20, 400, 4000])
def test_a_huge_number_in_a_draw_is_a_fault(write_grid: WriteGrid, digits: int) -> None:
    spec = {"int_uniform": [0, 10**digits]}
    (fault,) = faults_of(write_grid(random={"n": 2, "axes": {"seed": spec}}))
    assert fault.problem.startswith("expected")
    assert len(str(fault)) < 300


def test_huge_numbers_of_draws_are_out_of_range(write_grid: WriteGrid) -> None:
    axes = {"seed": {"int_uniform": [0, 5]}}
    (fault,) = faults_of(write_grid(random={"n": 10**4000, "axes": axes}))
    assert fault.problem == "out of range"


def test_options_of_sbatch_have_their_line(write_grid: WriteGrid) -> None:
    path = write_grid(resources={"sbatch": {"licenses": "a", "array": "0-3"}})
    (fault,) = faults_of(path)
    assert (fault.key, fault.line) == ("resources.sbatch.array", line_with(path, "array:"))
