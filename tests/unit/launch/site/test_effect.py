"""Which entries do nothing, given the others."""

from typing import Any

import pytest

from launch.site import Resources, idle_entries
from launch.site.effect import effective


@pytest.mark.parametrize(
    ("entries", "idle"),
    [
        (
            {"mem_per_gpu": 1, "cpus_per_gpu": 1, "gpu_type": "a"},
            {"mem_per_gpu", "cpus_per_gpu", "gpu_type"},
        ),
        ({"mem_per_gpu": 1, "gpus_per_node": 0}, {"mem_per_gpu"}),
        ({"tasks_per_node": 2, "gpus_per_node": 2}, {"tasks_per_node"}),
        ({"mem": 1, "mem_per_gpu": 1, "gpus_per_node": 2}, {"mem"}),
        ({"cpus_per_task": 1, "cpus_per_gpu": 1, "gpus_per_node": 2}, {"cpus_per_task"}),
        ({"mem": 1, "cpus_per_task": 2, "gpus_per_node": 2, "gpu_type": "a"}, set()),
        ({"tasks_per_node": 2, "gpus_per_node": 0, "mem": 0}, set()),
    ],
)
def test_what_does_nothing(entries: dict[str, Any], idle: set[str]) -> None:
    resources = Resources(**entries)
    assert idle_entries(resources).keys() == idle
    kept = effective(resources)
    assert kept.given().keys() == entries.keys() - idle
    assert kept.world_size == resources.world_size
    assert (kept.mem_per_node, kept.cpus_per_rank) == (
        resources.mem_per_node,
        resources.cpus_per_rank,
    )


def test_options_that_need_gpus_go_with_them() -> None:
    options: dict[str, str | int | bool] = {
        "gpus-per-task": 1,
        "licenses": "a",
        "mem-per-cpu": "1G",
    }
    assert effective(Resources(sbatch=options)).sbatch == {"licenses": "a", "mem-per-cpu": "1G"}
    with_gpus = effective(Resources(sbatch=options, gpus_per_node=1, mem=5))
    assert with_gpus.sbatch == {"licenses": "a", "gpus-per-task": 1}
    assert effective(Resources(sbatch={"gpu-bind": "none"})).sbatch is None
