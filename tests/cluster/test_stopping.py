"""What Slurm interrupts comes back and goes on; what a person cancels does not."""

from tests.cluster.person import Person
from tests.cluster.running import LONG, Running
from launch.records import read_record


def test_a_preempted_experiment_comes_back_and_goes_on(person: Person) -> None:
    running = Running.launch(person, STAND_IN_STEPS="100")
    running.wait_for_steps()
    with running.preempted():
        verdict = running.wait_for_verdict()
    assert verdict["reason"] == "preempted"
    assert verdict["comes_back"]
    stopped = read_record(running.attempt(1).stopped)
    assert 3 <= stopped["step"] < 100
    running.wait_for_end(attempt=2)
    assert f"goes on from step {stopped['step']}" in running.attempt(2).log(0).read_text()
    running.wait_until_over()
    assert running.state == "COMPLETED"
    assert len(running.experiment.run_dir.attempts()) == 2


def test_what_is_cancelled_in_slurm_stays_cancelled(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    person.run("scancel", running.task)
    assert running.wait_for_verdict()["reason"] == "cancel"
    assert running.attempt(1).stopped.exists()
    running.wait_until_over()
    assert running.state == "CANCELLED"
    assert person.store.root.cancelled(running.experiment.id).exists()
