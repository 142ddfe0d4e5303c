import itertools
import json
from pathlib import Path

import pytest

from launch.grid import expand
from launch.store import Store
from pcm.errors import ConfigError
from tests.unit.launch.conftest import ExpandGrid, WriteGrid

LR = "model.init_args.lr"
WIDTH = "model.init_args.layers.second.kwargs.width"


def test_without_axes_there_is_one_point(expand_grid: ExpandGrid) -> None:
    grid = expand_grid()
    (point,) = grid.points
    assert point.overrides == {}
    assert point.name == "sweep"
    assert point.config == {
        "schema_version": 1,
        "seed": 0,
        "subsample_size": None,
        "world_size": 1,
        "model": {
            "class_path": "my_package.models.Model",
            "init_args": {
                "lr": 0.001,
                "width": 8,
                "layers": [
                    {"name": "first", "kwargs": {"width": 4}},
                    {"name": "second", "kwargs": {"width": 16}},
                ],
            },
        },
        "data_train": {"class_path": "my_package.data.Data", "init_args": {"batch_size": 4}},
        "data_val": None,
        "trainer": {
            "callbacks": [],
            "num_nodes": None,
            "devices": None,
            "accelerator": None,
            "kwargs": {},
        },
    }


def test_grid_is_a_product_with_the_last_axis_fastest(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={LR: [0.1, 0.2], "seed": [3, 1, 2]})
    found = [(point.overrides[LR], point.overrides["seed"]) for point in grid.points]
    assert found == list(itertools.product([0.1, 0.2], [3, 1, 2]))
    assert [point.seed for point in grid.points] == [3, 1, 2, 3, 1, 2]


def test_overrides_reach_the_config_and_leave_the_base_alone(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={WIDTH: [32, 64]}, set={LR: 0.5})
    widths = [point.config["model"]["init_args"]["layers"][1]["kwargs"] for point in grid.points]
    assert widths == [{"width": 32}, {"width": 64}]
    assert all(point.config["model"]["init_args"]["lr"] == 0.5 for point in grid.points)
    assert grid.bases["model"][0]["init_args"]["layers"][1]["kwargs"] == {"width": 16}


def test_points_share_what_they_do_not_change(expand_grid: ExpandGrid) -> None:
    first, second = expand_grid(grid={WIDTH: [32, 64]}).points
    assert first.config["trainer"] is second.config["trainer"]
    here, there = (point.config["model"]["init_args"]["layers"] for point in (first, second))
    assert here[0] is there[0]


def test_axes_of_a_zip_group_advance_together(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        grid={"seed": [0, 1]},
        zip=[
            {LR: [0.1, 0.2], WIDTH: [32, 64]},
            {"data_train.init_args.batch_size": [1, 2, 3]},
        ],
    )
    assert len(grid.points) == 2 * 2 * 3
    pairs = {(point.overrides[LR], point.overrides[WIDTH]) for point in grid.points}
    assert pairs == {(0.1, 32), (0.2, 64)}


def test_random_draws_are_combined_with_the_grid(expand_grid: ExpandGrid) -> None:
    random = {"n": 5, "seed": 7, "axes": {LR: {"log_uniform": [1e-5, 1e-2]}}}
    grid = expand_grid(grid={"seed": [0, 1]}, random=random)
    draws = [point.overrides[LR] for point in grid.points]
    assert len(draws) == 10
    assert draws[:5] == draws[5:]
    assert all(1e-5 <= draw <= 1e-2 for draw in draws)


def test_exclude_drops_what_matches_every_pair(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={LR: [0.1, 0.2], "seed": [0, 1]}, exclude=[{LR: 0.1, "seed": 1}])
    found = [(point.overrides[LR], point.seed) for point in grid.points]
    assert found == [(0.1, 0), (0.2, 0), (0.2, 1)]
    assert grid.warnings == ()


def test_exclude_sees_values_that_no_axis_varies(expand_grid: ExpandGrid) -> None:
    other = "model.init_args.width"
    grid = expand_grid(grid={LR: [0.1, 0.2]}, exclude=[{LR: 0.1, other: 8}, {LR: 0.2, other: 9}])
    assert [point.overrides[LR] for point in grid.points] == [0.2]
    assert len(grid.warnings) == 1


def test_exclude_finds_an_axis_under_another_spelling(expand_grid: ExpandGrid) -> None:
    spelled = "model.init_args.layers.1.kwargs.width"
    grid = expand_grid(grid={WIDTH: [32, 64]}, exclude=[{spelled: 64}])
    assert [point.overrides[WIDTH] for point in grid.points] == [32]


def test_exclude_sees_files_and_resources(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        grid={"model": ["small.yaml", "large.yaml"], "resources.nodes": [1, 2]},
        resources={"time": 60},
        exclude=[
            {"model": "large.yaml", "resources.nodes": 2, "resources.time": 60},
            {"trainer": "plain.yaml", "model": "small.yaml", "resources.nodes": 1},
        ],
    )
    found = [tuple(point.overrides.values()) for point in grid.points]
    assert found == [("small.yaml", 2), ("large.yaml", 1)]


def test_exclude_tells_true_from_one(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={LR: [1, True]}, exclude=[{LR: True}])
    assert [point.overrides[LR] for point in grid.points] == [1]
    assert not isinstance(grid.points[0].overrides[LR], bool)


def test_a_rule_that_matches_nothing_is_a_warning(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={"seed": [0, 1]}, exclude=[{"seed": 1}, {"seed": 7}])
    assert len(grid.points) == 1
    (warning,) = grid.warnings
    assert "grid.yaml:" in warning
    assert "matches no point" in warning


def test_a_rule_behind_another_is_not_idle(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={"seed": [0, 1], LR: [0.1, 0.2]}, exclude=[{"seed": 1}, {LR: 0.1}])
    assert grid.warnings == ()
    assert len(grid.points) == 1


def test_a_rule_may_be_about_one_of_several_files(
    expand_grid: ExpandGrid, config_folder: Path
) -> None:
    (config_folder / "models" / "bare.yaml").write_text("{class_path: m.M, init_args: {lr: 1}}\n")
    files = {"model": ["small.yaml", "bare.yaml"], "seed": [0, 1]}
    grid = expand_grid(grid=files, exclude=[{WIDTH: 16, "seed": 1}])
    found = [tuple(point.overrides.values()) for point in grid.points]
    assert found == [("small.yaml", 0), ("bare.yaml", 0), ("bare.yaml", 1)]


def test_include_adds_points_that_no_rule_drops(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        set={LR: 0.5},
        grid={"seed": [0, 1]},
        exclude=[{"seed": 1}],
        include=[{"seed": 1, LR: 0.25}],
    )
    assert [point.overrides for point in grid.points] == [{"seed": 0}, {"seed": 1, LR: 0.25}]
    assert [point.config["model"]["init_args"]["lr"] for point in grid.points] == [0.5, 0.25]


def test_a_list_of_points_alone_leaves_the_base_out(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(include=[{"seed": 4}, {"seed": 5}])
    assert [point.seed for point in grid.points] == [4, 5]


def test_whole_files_as_axes(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={"model": ["small.yaml", "large.yaml"], LR: [0.1]}, set={WIDTH: 5})
    assert [point.config["model"]["init_args"]["width"] for point in grid.points] == [8, 512]
    for point in grid.points:
        assert point.config["model"]["init_args"]["lr"] == 0.1
        assert point.config["model"]["init_args"]["layers"][1]["kwargs"]["width"] == 5
    assert [point.name for point in grid.points] == [
        "sweep-model=small-lr=0.1",
        "sweep-model=large-lr=0.1",
    ]
    assert len(grid.bases["model"]) == 2
    assert len(grid.bases["trainer"]) == 1


def test_an_axis_that_only_one_of_two_files_has_is_a_fault(
    expand_grid: ExpandGrid, config_folder: Path
) -> None:
    (config_folder / "models" / "bare.yaml").write_text("{class_path: m.M, init_args: {a: 1}}\n")
    with pytest.raises(ConfigError, match="has no 'layers'"):
        expand_grid(grid={"model": ["small.yaml", "bare.yaml"], WIDTH: [1, 2]})


def test_resources_as_axes_change_the_world_size(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        zip=[{"resources.nodes": [1, 2], "resources.time": ["1:00:00", 30]}],
        resources={"gpus_per_node": 4},
    )
    assert [point.world_size for point in grid.points] == [4, 8]
    assert [point.resources.time for point in grid.points] == [60, 30]
    assert [point.config["world_size"] for point in grid.points] == [4, 8]
    assert all(point.changes == [] for point in grid.points)


def test_ranks_come_from_the_trainer_where_resources_say_nothing(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(
        grid={"trainer.devices": [2, [0, 1, 2], "auto", "4", -1]}, set={"trainer.num_nodes": 2}
    )
    assert [point.world_size for point in grid.points] == [4, 6, 2, 8]
    assert "kept once" in grid.warnings[0]


def test_the_same_point_twice_is_reported_and_kept_once(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={"seed": [0, 1, 0]}, include=[{"seed": 1}])
    assert [point.seed for point in grid.points] == [0, 1]
    (warning,) = grid.warnings
    assert "2 points are there twice" in warning


def test_a_number_counts_by_its_value_in_an_identity(expand_grid: ExpandGrid) -> None:
    grid = expand_grid(grid={LR: [1, 1.0, True]})
    assert len(grid.points) == 2


def test_time_limits_do_not_make_another_experiment(expand_grid: ExpandGrid) -> None:
    one, other = (expand_grid(resources={"time": time}).points[0].id for time in (10, 20))
    assert one == other


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 1},
        {"version": 2},
        {"set": {LR: 0.7}},
        {"set": {"subsample_size": 100}},
        {"resources": {"tasks_per_node": 2}},
        {"starts_from": {"checkpoint": "/runs/a.ckpt"}},
    ],
)
def test_what_changes_results_makes_another_experiment(
    expand_grid: ExpandGrid, change: dict[str, object]
) -> None:
    assert expand_grid(**change).points[0].id != expand_grid().points[0].id


def test_an_extended_grid_keeps_the_ids_it_had(expand_grid: ExpandGrid) -> None:
    before = [point.id for point in expand_grid(grid={LR: [0.1, 0.2]}).points]
    after = [point.id for point in expand_grid(grid={LR: [0.3, 0.1, 0.2], "seed": [0]}).points]
    assert after[1:] == before


def test_flags_win(write_grid: WriteGrid) -> None:
    path = write_grid(
        set={"subsample_size": 10},
        grid={LR: [0.1, 0.2], "seed": [0, 1], "resources.nodes": [1, 2]},
        zip=[{WIDTH: [1, 2, 3], "model.init_args.width": [4, 5, 6]}],
        include=[{"seed": 9, LR: 0.3}],
    )
    overrides = {LR: 0.5, WIDTH: 7, "subsample_size": 20}
    grid = expand(path, overrides=overrides, resources={"nodes": 3})
    assert [tuple(point.overrides.values()) for point in grid.points] == [
        *itertools.product([0, 1], [4, 5, 6]),
        (9,),
    ]
    for point in grid.points:
        assert point.config["model"]["init_args"]["lr"] == 0.5
        assert point.config["model"]["init_args"]["layers"][1]["kwargs"]["width"] == 7
        assert point.subsample_size == 20
        assert point.world_size == 3
    assert grid.flags == {**overrides, "resources.nodes": 3}


def test_a_flag_may_name_a_file(write_grid: WriteGrid) -> None:
    (point,) = expand(write_grid(), overrides={"model": "large.yaml"}).points
    assert point.config["model"]["init_args"]["width"] == 512


def test_what_the_points_share_is_kept(expand_grid: ExpandGrid) -> None:
    tracker = {"name": "neptune", "project": "team/vaes"}
    container = {"image": "pcm.sif", "binds": ["/data"]}
    grid = expand_grid(tags=["a", "b"], tracker=tracker, container=container)
    assert grid.tags == ("a", "b")
    assert grid.tracker == tracker
    assert grid.container == container
    assert "pcm.sif" in grid.text


def test_max_parallel_is_the_smallest_of_the_points(expand_grid: ExpandGrid) -> None:
    assert expand_grid().max_parallel is None
    assert expand_grid(resources={"max_parallel": 3}).max_parallel == 3


def test_a_grid_without_a_name_has_its_files(write_grid: WriteGrid, tmp_path: Path) -> None:
    path = write_grid(name=None)
    assert expand(path).name == "grid"


def test_names_tell_axes_apart_by_as_little_as_needed(expand_grid: ExpandGrid) -> None:
    first = "model.init_args.layers.first.kwargs.width"
    grid = expand_grid(grid={first: [1], WIDTH: [[2, 3]], LR: ["a b/c"]})
    assert grid.points[0].name == "sweep-first.width=1-second.width=[2,3]-lr=a_b_c"


def test_a_callback_without_arguments_is_given_its_first(
    write_grid: WriteGrid, config_folder: Path, tmp_path: Path
) -> None:
    plain = config_folder / "trainer" / "plain.yaml"
    bare = plain.read_text().replace("[]", "[{name: early_stopping, kwargs: {monitor: x}}]")
    for callback in ("{name: timer}", "{class_path: lightning.pytorch.callbacks.Timer}"):
        plain.write_text(bare.replace("}}]", f"}}}}, {callback}]"))
        arguments = "kwargs" if "name" in callback else "init_args"
        place = f"trainer.callbacks.1.{arguments}"
        varied = {f"{place}.duration": ["00:01:00:00", "00:02:00:00"], "seed": [0, 1]}
        fixed = {f"{place}.interval": "epoch"}
        exclude = [{f"{place}.duration": "00:01:00:00", "seed": 1}]
        grid = expand(write_grid(grid=varied, set=fixed, exclude=exclude))
        given = {"interval": "epoch", "duration": "00:01:00:00"}
        store = Store(tmp_path / arguments)
        store.freeze(grid)
        configs = [experiment.config() for experiment in store.experiments("sweep")]
        assert [each["trainer"]["callbacks"][1][arguments]["duration"] for each in configs] == [
            *["00:01:00:00"],
            *["00:02:00:00"] * 2,
        ]
        # It is the experiment that a file with these arguments describes.
        written = callback.replace("}", f", {arguments}: {json.dumps(given)}}}")
        plain.write_text(bare.replace("}}]", f"}}}}, {written}]"))
        assert grid.points[0].identity == expand(write_grid()).points[0].identity


def test_a_wrong_first_argument_is_told_where_it_is_written(
    write_grid: WriteGrid, config_folder: Path
) -> None:
    plain = config_folder / "trainer" / "plain.yaml"
    plain.write_text(plain.read_text().replace("[]", "[{name: timer}]"))
    path = write_grid(grid={"trainer.callbacks.timer.kwargs.durration": ["00:01:00:00"]})
    with pytest.raises(ConfigError) as caught:
        expand(path)
    (fault,) = caught.value.faults
    assert fault.key == "trainer.callbacks.timer.kwargs.durration"
    assert fault.hint == "did you mean 'duration'?"
    assert (
        fault.line
        == path.read_text().splitlines().index("  trainer.callbacks.timer.kwargs.durration:") + 1
    )
