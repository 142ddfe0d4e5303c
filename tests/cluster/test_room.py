"""A site that lets a person have only so many jobs in the queue."""

import json
from collections.abc import Iterator

import pytest

from launch.store.submissions import all_submissions, read_unsubmitted
from tests.cluster.person import Person, wait_for
from tests.cluster.slurm import SlurmCluster, install

pytestmark = pytest.mark.own_cluster

ENFORCED = ["AccountingStorageEnforce=associations,limits,qos"]


@pytest.fixture(scope="module")
def cluster(user: str) -> Iterator[SlurmCluster]:
    """A person's account may have five jobs in the queue, and three with the QOS `small`."""
    try:
        install(accounting=True)
    except RuntimeError as error:
        pytest.fail(f"these tests need a Slurm of their own: {error}")
    with SlurmCluster(accounting=True, settings=ENFORCED) as cluster:
        for words in (
            ("add", "qos", "small", "MaxSubmitJobsPerUser=3"),
            ("add", "user", user, "account=research"),
            ("modify", "user", user, "set", "MaxSubmitJobs=5", "qos=normal,small"),
        ):
            cluster.run("sacctmgr", "-i", *words)
        yield cluster


def assert_each_ran_once(person: Person) -> None:
    person.wait_for_empty_queue()
    for experiment in person.experiments():
        [attempt] = experiment.run_dir.attempts()
        assert attempt.finished.exists(), attempt.log(0).read_text()
    arrays = [each.array for each in all_submissions(person.store.root)]
    assert sum(map(len, arrays)) == len(person.experiments())


def test_what_has_no_room_is_shown_and_launched_later(person: Person) -> None:
    grid = person.write_grid(8)
    partition = person.cluster.partition
    words = ("launch", grid, "--partition", partition, "--yes")
    person.cluster.run("scontrol", "update", f"PartitionName={partition}", "State=DOWN")
    refused = person.try_pcm(*words)
    assert refused.returncode == 4, refused.stderr
    assert "5 of 8 experiments are submitted" in refused.stderr
    assert f"`pcm {' '.join(words)}` submits the rest" in refused.stderr
    assert "--wait" in refused.stderr
    assert len(read_unsubmitted(person.store.root)) == 3
    assert "3 new: not submitted: AssocMaxSubmitJobLimit" in person.pcm("status").stdout

    again = person.try_pcm(*words)
    assert "0 of 3 experiments are submitted" in again.stderr
    person.cluster.run("scontrol", "update", f"PartitionName={partition}", "State=UP")
    person.wait_for_empty_queue()
    person.pcm(*words)
    assert read_unsubmitted(person.store.root) == {}
    assert_each_ran_once(person)


def test_waiting_submits_the_rest_as_room_appears(person: Person) -> None:
    grid = person.write_grid(7, qos="small", max_parallel=2)
    launcher = person.start_pcm("launch", grid, "--yes", "--wait", "--json")
    most = 0

    def is_over() -> bool:
        nonlocal most
        most = max(most, len(person.queue("running")))
        return launcher.poll() is not None

    wait_for(is_over, 240)
    output, errors = launcher.communicate()
    assert launcher.returncode == 0, errors
    assert {each["state"] for each in json.loads(output)} == {"done"}
    assert most == 2
    assert_each_ran_once(person)


def test_what_is_cancelled_meanwhile_is_never_submitted(person: Person) -> None:
    grid = person.write_grid(4, qos="small")
    launcher = person.start_pcm("launch", grid, "--yes", "--wait", STAND_IN_STEPS="100")

    def only_left() -> str | None:
        left = list(read_unsubmitted(person.store.root))
        return left[0] if len(left) == 1 else None

    person.pcm("cancel", wait_for(only_left, 120), "--yes")
    launcher.communicate(timeout=240)
    person.wait_for_empty_queue()
    done = [each.run_dir.attempts() for each in person.experiments()]
    assert list(map(len, done)) == [1, 1, 1, 0]
