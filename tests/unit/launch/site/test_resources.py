from dataclasses import fields
from typing import Any

import pytest

from launch.site import Resources, parse_resources
from pcm.config.structure import find_faults
from pcm.config.structures.grid import RESOURCES


def test_what_the_design_shows_is_understood() -> None:
    resources, faults = parse_resources(
        {
            "partition": "gpu",
            "nodes": 1,
            "gpus_per_node": 4,
            "cpus_per_gpu": 8,
            "mem_per_gpu": "32G",
            "time": "12:00:00",
            "max_parallel": 16,
        }
    )
    assert faults == []
    assert resources == Resources(
        partition="gpu",
        nodes=1,
        gpus_per_node=4,
        cpus_per_gpu=8,
        mem_per_gpu=32768,
        time=720,
        max_parallel=16,
    )


def test_every_mistake_is_told_and_the_rest_understood() -> None:
    resources, faults = parse_resources({"nodes": 0, "time": "x", "nodez": 1, "mem": "1G"})
    assert resources == Resources(mem=1024)
    assert [fault.key for fault in faults] == ["nodes", "time", "nodez"]
    assert faults[2].hint == "did you mean 'nodes'?"
    assert all(fault.expected for fault in faults)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nodes", True),
        ("nodes", "2"),
        ("nodes", 1.5),
        ("gpus_per_node", -1),
        ("gpus_per_node", False),
        ("partition", 3),
        ("partition", " "),
        ("account", "a\nb"),
        ("max_parallel", 0),
        ("mem", "much"),
        ("gpu_type", "gpu:a100"),
        ("gpu_type", "a100:4"),
        ("gpu_type", "gpu"),
        ("mail_type", "SOMETIMES"),
        ("exclude", []),
        ("nodelist", ["n1", 2]),
        ("exclusive", "topo logy"),
        ("begin", ""),
        ("sbatch", ["x"]),
    ],
)
def test_values_of_the_wrong_kind(name: str, value: Any) -> None:
    assert [fault.key for fault in parse_resources({name: value})[1]] == [name]


def test_null_leaves_it_open() -> None:
    assert parse_resources({"nodes": None, "time": None}) == (Resources(), [])


def test_the_structure_knows_the_same_names() -> None:
    names = {field.name for field in fields(Resources)}
    assert names == set(RESOURCES.optional)
    assert find_faults(dict.fromkeys(names), RESOURCES) == []


@pytest.mark.parametrize(
    ("resources", "world_size"),
    [
        (Resources(), 1),
        (Resources(nodes=2), 2),
        (Resources(nodes=2, gpus_per_node=4), 8),
        (Resources(nodes=2, gpus_per_node=4, tasks_per_node=3), 8),
        (Resources(gpus_per_node=0, tasks_per_node=3), 3),
    ],
)
def test_world_size_is_nodes_times_ranks(resources: Resources, world_size: int) -> None:
    assert resources.world_size == world_size


@pytest.mark.parametrize(
    ("devices", "ranks"),
    [(2, 2), ([0, 2, 3], 3), ("auto", 1), (-1, 1), (None, 1), ("2", 2), ([], 1), ("0,1", 1)],
)
def test_ranks_of_a_trainer(devices: Any, ranks: int) -> None:
    trainer = {"num_nodes": 2, "devices": devices, "accelerator": None}
    resources = Resources().with_ranks_of(trainer)
    assert resources.world_size == 2 * ranks
    assert resources.gpus == 0


def test_a_trainer_on_gpus_asks_for_gpus() -> None:
    trainer = {"num_nodes": None, "devices": 2, "accelerator": "gpu"}
    assert Resources().with_ranks_of(trainer) == Resources(nodes=1, gpus_per_node=2)
    assert Resources(gpus_per_node=0).with_ranks_of(trainer).gpus == 0


def test_resources_win_over_the_trainer() -> None:
    trainer = {"num_nodes": 3, "devices": 2, "accelerator": "gpu"}
    given = Resources(nodes=1, tasks_per_node=4)
    assert given.with_ranks_of(trainer) == given


def test_stronger_words_win_field_by_field() -> None:
    flags, grid, site = Resources(time=5), Resources(time=9, mem=1), Resources(mem=2, qos="low")
    assert flags.over(grid).over(site) == Resources(time=5, mem=1, qos="low")


def test_no_gpus_is_a_word_too() -> None:
    assert Resources(gpus_per_node=0).over(Resources(gpus_per_node=4)).gpus == 0


def test_memory_of_a_node() -> None:
    assert Resources(mem_per_gpu=10, gpus_per_node=4, mem=7).mem_per_node == 40
    assert Resources(mem_per_gpu=10, mem=7).mem_per_node == 7


def test_cores_of_a_rank() -> None:
    assert Resources(gpus_per_node=1, cpus_per_gpu=8, cpus_per_task=2).cpus_per_rank == 8
    assert Resources(cpus_per_gpu=8, cpus_per_task=2).cpus_per_rank == 2
    assert Resources(gpus_per_node=1, cpus_per_task=2).cpus_per_rank == 2


def test_the_words_of_slurm() -> None:
    resources, faults = parse_resources(
        {
            "exclude": ["n1", "n[3-5]"],
            "nodelist": "n7",
            "exclusive": "user",
            "begin": "16:00",
            "mail_type": ["end", "fail"],
            "mail_user": "me@example.org",
            "mem": 0,
            "time": "UNLIMITED",
        }
    )
    assert faults == []
    assert (resources.exclude, resources.nodelist) == ("n1,n[3-5]", "n7")
    assert (resources.mail_type, resources.mem, resources.time) == ("END,FAIL", 0, 0)


def test_a_word_for_the_whole_replaces_a_weaker_one_for_each_gpu() -> None:
    grid = Resources(gpus_per_node=4, mem_per_gpu=10, cpus_per_gpu=8)
    assert Resources(mem=5).over(grid).mem_per_node == 5
    assert Resources(cpus_per_task=2).over(grid).cpus_per_rank == 2
    assert Resources(mem_per_gpu=1).over(grid).mem_per_node == 4
