"""What a real sbatch takes of resources, and what Slurm then says that it was asked for."""

import re
import shlex
from typing import Any

import pytest

from launch.store.submissions import all_submissions
from tests.cluster.person import HELD, Person

pytestmark = pytest.mark.own_cluster


def asked_for(person: Person, resources: dict[str, Any], flags: str, site: str) -> dict[str, str]:
    """Launch one held job, and read how Slurm describes it."""
    person.write_file("here.yaml", site)
    grid = person.write_grid(1, **resources)
    person.launch(grid, "--site", "here.yaml", *shlex.split(flags))
    [submission] = all_submissions(person.store.root)
    shown = person.cluster.run("scontrol", "show", "job", "-o", f"{submission.job_id}_0")
    return dict(re.findall(r"(\S+?)=(\S*)", shown))


@pytest.mark.parametrize(
    ("memory", "resources", "expected"),
    [
        ("per-node", {"mem": "1Gi"}, {"MinMemoryNode": "1G"}),
        ("per-node", {"mem": 0, "time": "UNLIMITED"}, {"TimeLimit": "UNLIMITED"}),
        ("per-cpu", {"mem": 200, "cpus_per_task": 2}, {"MinMemoryCPU": "100M"}),
        ("none", {"mem": 200}, {"MinMemoryCPU": "1000M"}),
        (
            "per-gpu",
            {"gpus_per_node": 2, "mem": None, "mem_per_gpu": "300M"},
            {"MemPerTres": "gres:gpu:300"},
        ),
    ],
)
def test_memory_is_asked_for_as_the_site_says(
    person: Person, memory: str, resources: dict[str, Any], expected: dict[str, str]
) -> None:
    job = asked_for(person, resources, "", f"memory: {memory}\n{HELD}")
    assert job.items() >= expected.items()


def test_the_words_of_slurm_reach_it(person: Person) -> None:
    flags = (
        "-A mine -t 1d12h --exclude n4 --nodelist n3 --exclusive --begin now+1hour --mail-type END"
        " --mail-user me@example.org --mem 64M -- --nice=5 -H"
    )
    site = "defaults: {account: theirs}\nsbatch: {time: 5, mem: 100}\n"
    job = asked_for(person, {}, flags, site)
    assert job["Account"] == "mine"
    assert (job["TimeLimit"], job["MinMemoryNode"], job["Nice"]) == ("1-12:00:00", "64M", "5")
    assert (job["ReqNodeList"], job["ExcNodeList"], job["OverSubscribe"]) == ("n3", "n4", "NO")
    assert job["Reason"] == "JobHeldUser"
    assert job["StartTime"] > job["SubmitTime"]


def test_a_generic_resource_of_the_site_joins_the_gpus(person: Person) -> None:
    job = asked_for(person, {"gpus_per_node": 2}, "", "sbatch: {gres: 'tmpfs:10', hold: ''}\n")
    assert set(job["TresPerNode"].split(",")) == {"gres:gpu:2", "gres:tmpfs:10"}


def test_a_users_variable_does_not_clash_with_the_grids_memory(person: Person) -> None:
    person.environment["SBATCH_MEM_PER_CPU"] = "70M"
    job = asked_for(person, {"mem": 200}, "", HELD)
    assert job["MinMemoryNode"] == "200M"


def test_what_sbatch_refuses_is_told_with_the_option_to_change(person: Person) -> None:
    grid = person.write_grid(1)
    for words, option in (("--nodelist nowhere", "--nodelist"), ("--constraint none", "sinfo")):
        refused = person.try_pcm("launch", grid, "--yes", *words.split())
        assert refused.returncode == 4, refused.stderr
        assert option in refused.stderr
