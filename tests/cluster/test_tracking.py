"""Sites follow a job's processes in other ways, and signal others of them."""

from collections.abc import Iterator

import pytest

from launch.store.records import read_record
from tests.cluster.person import Person
from tests.cluster.running import LONG, Running
from tests.cluster.slurm import SlurmCluster

pytestmark = pytest.mark.own_cluster

TWO_RANKS = {"tasks_per_node": 2}


@pytest.fixture(scope="module", params=["linuxproc", "pgid"])
def cluster(request: pytest.FixtureRequest, slurm_installed: None) -> Iterator[SlurmCluster]:
    """A cluster whose processes are tracked in another way than by cgroup."""
    with SlurmCluster(tracking=request.param, nodes=1) as cluster:
        yield cluster


def test_preempted_and_back_and_cancelled(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, **LONG)
    running.wait_for_steps()
    with running.preempted():
        assert running.wait_for_verdict()["reason"] == "preempted"
    stopped = read_record(running.attempt(1).stopped)["step"]
    running.wait_for_steps(attempt=2, steps=stopped + 1)
    person.run("scancel", running.task)
    assert running.wait_for_verdict(2)["reason"] == "cancel"
    assert running.attempt(2).stopped.exists()
    running.wait_until_over()
    assert running.state == "CANCELLED"


def test_a_killed_supervisor_takes_its_training_with_it(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_WORKER="1", **LONG)
    running.wait_for_steps()
    running.kill(1, rank=0)
    running.wait_until_over()
    assert read_record(running.attempt(1).outcome(0))["message"] == "its supervisor was killed"
