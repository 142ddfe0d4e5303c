"""What goes wrong by itself: killed processes, too little memory, nodes that are gone."""

import signal
from collections.abc import Mapping
from typing import Any

import pytest

from launch.status.why import why
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from tests.cluster.person import Person
from tests.cluster.running import LONG, Running

TWO_RANKS = {"tasks_per_node": 2}
TWO_NODES = {"nodes": 2, "tasks_per_node": 2}


def reason_of_failure(running: Running) -> str:
    cause = why(running.experiment.run_dir)
    assert cause is not None
    return f"rank {cause.rank}: {cause.reason}"


def check_that_it_ended(running: Running, attempts: int = 1) -> None:
    """Whether nothing is left of it, and nothing comes back."""
    verdict = running.wait_for_verdict(attempts)
    assert not verdict["comes_back"]
    running.wait_until_over()
    assert len(running.experiment.run_dir.attempts()) == attempts


@pytest.mark.parametrize("resources", [TWO_RANKS, TWO_NODES])
def test_a_killed_rank_ends_its_job(person: Person, resources: Mapping[str, Any]) -> None:
    running = Running.launch(person, resources, **LONG)
    running.wait_for_steps()
    running.kill(1, rank=1, key="child_pid")
    check_that_it_ended(running)
    assert reason_of_failure(running) == "rank 1: killed by SIGKILL"


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_supervisor_ends_its_job(person: Person, rank: int) -> None:
    running = Running.launch(person, TWO_RANKS, **LONG)
    running.wait_for_steps()
    running.kill(1, rank)
    running.wait_until_over()
    assert reason_of_failure(running) == f"rank {rank}: its supervisor was killed"
    assert len(running.experiment.run_dir.attempts()) == 1


def test_a_supervisor_that_falls_silent_on_another_node_sends_its_job_back(
    person: Person,
) -> None:
    # All nodes are one machine here: a process that stands still looks alive to its neighbours.
    running = Running.launch(person, TWO_NODES, **LONG)
    running.wait_for_steps()
    running.kill(1, rank=2, number=signal.SIGSTOP)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("node_fail", True)
    assert reason_of_failure(running).startswith("rank 2: nothing is heard of its supervisor on")
    running.wait_for_steps(attempt=2)


def test_an_error_of_its_own_ends_it(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_FAIL="1")
    check_that_it_ended(running)
    assert reason_of_failure(running) == "rank 1: ValueError: no such digit: 11"
    [array] = all_submissions(person.store.root)
    printed = {path.parent.name: path.name for path in array.files.path.glob("rank-*/*")}
    assert printed == {f"rank-{rank}": f"{running.task}_{rank}_log.out" for rank in (0, 1)}


def test_an_error_of_its_own_is_tried_again_as_often_as_asked_for(person: Person) -> None:
    # A site may ask for it too.
    person.write_file("site.yaml", "defaults: {retries: 1}\n")
    running = Running.launch(person, None, "--site", "site.yaml", STAND_IN_FAIL="0")
    assert running.wait_for_verdict(1)["detail"] == "retry 1 of 1"
    running.wait_for_steps(attempt=2, steps=1)
    check_that_it_ended(running, attempts=2)


def test_lack_of_memory_is_told_as_such(person: Person) -> None:
    running = Running.launch(person, {"mem": 100}, STAND_IN_MEMORY="150")
    check_that_it_ended(running)
    assert running.wait_for_verdict()["reason"] == "out_of_memory"
    assert reason_of_failure(running) == "rank 0: out of memory (SIGKILL)"


def test_lack_of_memory_is_met_with_more_where_asked_for(person: Person) -> None:
    retry = {"retry": {"oom": {"mem_factor": 3, "max": 1}}}
    running = Running.launch(person, {"mem": 100, **retry}, STAND_IN_MEMORY="150")
    assert running.wait_for_verdict()["detail"] == "again with 300 MB, after 100 MB"
    running.wait_for_end(attempt=2)
    running.wait_until_over()
    assert read_record(running.attempt(2).outcome(0))["out_of_memory"] is False


@pytest.mark.own_cluster
def test_a_node_that_dies_is_replaced(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_STEPS="60")
    running.wait_for_steps()
    with running.dead_node():
        running.wait_for_end(attempt=2)
        running.wait_until_over()
    assert len(running.experiment.run_dir.attempts()) == 2
    assert not running.attempt(1).verdict.exists()


@pytest.mark.own_cluster
def test_a_node_that_slurm_cannot_reach_hands_over_what_runs_there(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, **LONG)
    running.wait_for_steps()
    with running.dead_node(are_processes_alive=True):
        verdict = running.wait_for_verdict()
        assert verdict["reason"] == "requeued"
        step = read_record(running.attempt(1).stopped)["step"]
        running.wait_for_steps(attempt=2, steps=step + 1)
    person.run("scancel", running.task)
    assert running.wait_for_verdict(2)["reason"] == "cancel"
