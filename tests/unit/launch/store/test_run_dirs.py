import json
import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from launch.grid import Grid
from launch.store import LaunchDir, Store
from launch.store.run_dirs import create_run_dir
from launch.store.yaml_text import dump_yaml
from pcm.config.document import load_document, parse_document
from pcm.errors import NotFoundError, RefusedError
from tests.unit.launch.conftest import ExpandGrid

LR = "model.init_args.lr"


@pytest.fixture
def grid(expand_grid: ExpandGrid) -> Grid:
    return expand_grid(
        name="größe 1",
        tags=["a"],
        set={"subsample_size": 100, "model.init_args.layers.first.kwargs.width": 7},
        grid={LR: [0.1, 1e-05], "model": ["small.yaml", "large.yaml"]},
        tracker={"name": "neptune", "project": None},
        resources={"tasks_per_node": 2},
    )


@pytest.fixture
def launch(tmp_path: Path, grid: Grid) -> LaunchDir:
    return Store(tmp_path / "all the 'runs'").freeze(grid)


def place(launch: LaunchDir, experiment_id: str) -> Path:
    return launch.root / "experiments" / experiment_id[:2] / experiment_id


def test_a_run_dir_is_complete_in_itself(launch: LaunchDir, grid: Grid) -> None:
    for point in grid.points:
        run_dir = create_run_dir(launch.path, point.id)
        assert run_dir.path == place(launch, point.id)
        assert load_document(run_dir.config).data == point.config
        record = json.loads(run_dir.experiment.read_text())
        assert record["overrides"] == point.overrides
        assert record["identity"] == point.identity


def test_the_record_has_what_training_needs(launch: LaunchDir, grid: Grid) -> None:
    record = json.loads(create_run_dir(launch.path, grid.points[0].id).experiment.read_text())
    created = record.pop("created")
    assert created.startswith("20")
    assert record == {
        "schema_version": 1,
        "id": grid.points[0].id,
        "name": grid.points[0].name,
        "sweep": "größe 1",
        "launch": launch.id,
        "identity": grid.points[0].identity,
        "tags": ["a"],
        "tracker": {"name": "neptune", "project": None},
        "overrides": {LR: 0.1, "model": "small.yaml"},
        "world_size": 2,
        "pcm_version": launch.record["pcm_version"],
        "code": launch.record["code"],
        "starts_from": None,
        "image": None,
    }


def test_a_second_time_leaves_it_as_it_is(launch: LaunchDir, grid: Grid) -> None:
    first = create_run_dir(launch.path, grid.points[0].id)
    (first.path / "metrics.jsonl").write_text("kept")
    before = first.experiment.read_text()
    second = create_run_dir(launch.path, grid.points[0].id)
    assert second == first
    assert second.experiment.read_text() == before
    assert (second.path / "metrics.jsonl").read_text() == "kept"


def test_nothing_is_left_beside_it(launch: LaunchDir, grid: Grid) -> None:
    create_run_dir(launch.path, grid.points[0].id)
    folder = place(launch, grid.points[0].id).parent
    assert [path.name for path in folder.iterdir()] == [grid.points[0].id]
    assert list(folder.parent.iterdir()) == [folder]


def create_at_once(launch: Path, experiment_id: str, barrier: Any, results: Any) -> None:
    barrier.wait(20)
    results.put(str(create_run_dir(launch, experiment_id).path))


def test_racing_processes_agree(launch: LaunchDir, grid: Grid) -> None:
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(4), context.Queue()
    arguments = (launch.path, grid.points[0].id, barrier, results)
    processes = [context.Process(target=create_at_once, args=arguments) for _ in range(4)]
    for process in processes:
        process.start()
    found = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join(20)
        assert process.exitcode == 0
    folder = place(launch, grid.points[0].id)
    assert found == {str(folder)}
    assert list(folder.parent.iterdir()) == [folder]


def test_an_id_that_the_launch_does_not_have(launch: LaunchDir) -> None:
    with pytest.raises(NotFoundError):
        create_run_dir(launch.path, "0123456789")


def test_another_experiment_in_its_place_is_refused(launch: LaunchDir, grid: Grid) -> None:
    folder = place(launch, grid.points[0].id)
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text('{"identity": "another"}')
    with pytest.raises(RefusedError, match="something else"):
        create_run_dir(launch.path, grid.points[0].id)


def test_a_file_in_place_of_the_folder_is_refused(launch: LaunchDir, grid: Grid) -> None:
    (launch.root / "experiments").write_text("")
    with pytest.raises(RefusedError, match="can't write"):
        create_run_dir(launch.path, grid.points[0].id)


@pytest.mark.parametrize(
    "value",
    [
        "1e-3",
        "yes",
        "null",
        "~",
        "",
        " ",
        "0x1f",
        "0o7",
        "12:30:00",
        "2024-01-01",
        "=",
        "<<",
        ".inf",
        "9" * 5000,
        "a: b # c",
        "- x",
        "größe 😀",
        "two\nlines\n",
        "\ttab",
        "b 1 h w -> b (h w)",
        1e-05,
        1e22,
        0.1,
        3,
        True,
        None,
        [],
        {},
        [[1, [2]], {"a": {"b": []}}],
        {"yes": 1, "1": 2, "null": 3},
    ],
)
def test_configs_read_back_as_they_were_written(value: Any) -> None:
    data = {"key": value, "list": [value, value]}
    read = parse_document(dump_yaml(data), "test").data
    assert read == data
    assert type(read["key"]) is type(value)


def test_what_points_share_is_written_out_in_full() -> None:
    shared = {"a": [1]}
    assert "&" not in dump_yaml({"x": shared, "y": shared})
