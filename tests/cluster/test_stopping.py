"""What Slurm interrupts comes back and goes on; what a person cancels does not."""

import pytest

from launch.store.records import read_record
from tests.cluster.person import Person, wait_for
from tests.cluster.running import LONG, Running

TWO_RANKS = {"tasks_per_node": 2}


def check_that_it_went_on(running: Running, attempt: int) -> None:
    """Whether an attempt ended well that began where the one before had stopped."""
    running.wait_for_end(attempt)
    step = read_record(running.attempt(attempt - 1).stopped)["step"]
    assert f"goes on from step {step}\n" in running.attempt(attempt).log(0).read_text()
    running.wait_until_over()
    assert running.state == "COMPLETED"
    assert len(running.experiment.run_dir.attempts()) == attempt


@pytest.mark.own_cluster
def test_a_preempted_experiment_comes_back_and_goes_on(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_STEPS="100")
    running.wait_for_steps()
    with running.preempted():
        verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("preempted", True)
    check_that_it_went_on(running, attempt=2)


def test_what_is_cancelled_in_slurm_stays_cancelled(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, **LONG)
    running.wait_for_steps()
    person.run("scancel", running.task)
    assert running.wait_for_verdict()["reason"] == "cancel"
    assert running.attempt(1).stopped.exists()
    running.wait_until_over()
    assert running.state == "CANCELLED"
    assert person.store.root.cancelled(running.experiment.id).exists()


def test_one_whose_time_is_over_comes_back(person: Person) -> None:
    running = Running.launch(person, {"time": 2}, **LONG)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("time_limit", True)
    assert running.attempt(1).stopped.exists()
    running.wait_for_steps(attempt=2, steps=read_record(running.attempt(1).stopped)["step"] + 1)


def test_one_that_is_sent_back_by_hand_goes_on(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_STEPS="60")
    running.wait_for_steps()
    person.run("scontrol", "requeue", running.task)
    assert running.wait_for_verdict()["reason"] == "requeued"
    check_that_it_went_on(running, attempt=2)


@pytest.mark.own_cluster
def test_preempted_while_training_is_imported(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_STEPS="10", STAND_IN_IMPORT="3")
    wait_for(running.attempt(1).supervisor(1).exists)
    with running.preempted():
        assert running.wait_for_verdict()["reason"] == "preempted"
    check_that_it_went_on(running, attempt=2)


@pytest.mark.own_cluster
def test_preempted_while_supervisors_are_starting(person: Person) -> None:
    running = Running.launch(person, TWO_RANKS, STAND_IN_STEPS="100")
    wait_for(lambda: running.state == "RUNNING")
    with running.preempted():
        assert running.wait_for_verdict()["reason"] == "preempted"
    check_that_it_went_on(running, attempt=2)


@pytest.mark.own_cluster
def test_preempted_twice_in_a_row_and_while_writing_a_checkpoint(person: Person) -> None:
    running = Running.launch(person, STAND_IN_STEPS="150", STAND_IN_CHECKPOINT="2")
    for attempt in (1, 2):
        running.wait_for_steps(attempt)
        with running.preempted():
            assert running.wait_for_verdict(attempt)["reason"] == "preempted"
    check_that_it_went_on(running, attempt=3)


@pytest.mark.parametrize("resources", [TWO_RANKS, {"nodes": 2, "tasks_per_node": 2}])
def test_a_person_who_stops_it_politely_gets_a_checkpoint(
    person: Person, resources: dict[str, int]
) -> None:
    running = Running.launch(person, resources, **LONG)
    running.wait_for_steps()
    person.run("scancel", "--signal=TERM", running.task)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("interrupt", False)
    running.wait_until_over()
    assert running.attempt(1).stopped.exists()
