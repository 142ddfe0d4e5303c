"""What packs ask for, and how many of their jobs may run at once."""

from typing import Any

import pytest

from launch.site import (
    Pack,
    Resources,
    Site,
    allocation_of,
    contradictions,
    pack_of,
    parse_resources,
    sbatch_parameters,
    task_limit,
)
from launch.site.sites import Memory


def asked(site: Site | None = None, **resources: Any) -> dict[str, Any]:
    return dict(sbatch_parameters(Resources(**resources), site or Site()))


def test_what_a_file_leaves_open_is_one() -> None:
    resources, faults = parse_resources({"pack": {"per_job": 20}})
    assert (faults, resources.pack) == ([], {"per_job": 20, "per_gpu": 1, "sets": 1})
    assert pack_of(resources) == Pack(20)


@pytest.mark.parametrize(
    "pack",
    [20, {}, {"per_gpu": 2}, {"per_job": 0}, {"per_job": 2, "sets": True}, {"per_job": 1, "x": 1}],
)
def test_what_is_no_pack(pack: Any) -> None:
    [fault] = parse_resources({"pack": pack})[1]
    assert (fault.key, "per_job: 20" in str(fault.expected)) == ("pack", True)


def test_a_pack_is_one_task_with_all_cores_of_its_sets() -> None:
    pack = {"per_job": 20, "per_gpu": 2, "sets": 4}
    found = asked(gpus_per_node=1, cpus_per_gpu=8, mem_per_gpu=1000, pack=pack)
    assert found == {
        "nodes": 1,
        "ntasks_per_node": 1,
        "cpus_per_task": 32,
        "gres": "gpu:4",
        "mem": "4000M",
    }
    found = asked(tasks_per_node=2, cpus_per_task=3, mem=1000, pack=pack)
    assert (found["ntasks_per_node"], found["cpus_per_task"], found["mem"]) == (1, 24, "4000M")


def test_without_a_word_on_cores_one_rank_has_what_the_site_gives() -> None:
    assert "cpus_per_task" not in asked(pack={"per_job": 2, "per_gpu": 2, "sets": 1})
    assert (
        asked(tasks_per_node=2, pack={"per_job": 2, "per_gpu": 1, "sets": 1})["cpus_per_task"] == 2
    )


def test_memory_by_the_core_is_that_of_all_sets() -> None:
    pack = {"per_job": 20, "per_gpu": 1, "sets": 2}
    found = asked(Site(memory=Memory.PER_CPU), cpus_per_task=4, mem=800, pack=pack)
    assert (found["cpus_per_task"], found["mem_per_cpu"]) == (8, "200M")


@pytest.mark.parametrize(
    ("resources", "limit"),
    [
        ({}, None),
        ({"max_parallel": 5}, 5),
        ({"gpus_per_node": 4, "nodes": 2, "max_gpus": 32}, 4),
        ({"gpus_per_node": 4, "max_gpus": 32, "max_parallel": 3}, 3),
        ({"max_gpus": 32}, None),
        ({"max_parallel": 9, "pack": {"per_job": 20, "per_gpu": 2, "sets": 2}}, 2),
        ({"gpus_per_node": 1, "max_gpus": 9, "pack": {"per_job": 9, "sets": 4}}, 2),
    ],
)
def test_how_many_jobs_may_run_at_once(resources: dict[str, Any], limit: int | None) -> None:
    assert task_limit(Resources(**resources)) == limit


def test_no_more_run_in_a_pack_than_may_run_at_all() -> None:
    entry = {"per_job": 20, "per_gpu": 4, "sets": 2}
    pack = pack_of(Resources(max_parallel=3, pack=entry))
    assert pack is not None
    assert (pack.at_once, Pack(**entry).at_once, Pack(2, 4).at_once) == (3, 8, 2)


def test_what_can_not_be_had_together() -> None:
    wide = Resources(nodes=2, pack={"per_job": 2, "per_gpu": 1, "sets": 1})
    assert [fault.key for fault in contradictions(wide)] == ["pack"]
    many = Resources(gpus_per_node=2, max_gpus=3, pack={"per_job": 2, "per_gpu": 1, "sets": 2})
    assert [fault.key for fault in contradictions(many)] == ["max_gpus"]
    assert list(contradictions(Resources(gpus_per_node=2, max_gpus=2))) == []
    assert allocation_of(Resources(mem=0)).mem == 0
