"""Ranks that hang on nodes of a real Slurm."""

import signal

import pytest

from tests.cluster.person import Person, wait_for
from tests.cluster.running import LONG, Running

TWO_NODES = {"nodes": 2, "tasks_per_node": 1}


@pytest.mark.parametrize("options", [[], ["--now"]])
def test_a_hanging_experiment_is_cancelled_all_the_same(person: Person, options: list[str]) -> None:
    running = Running.launch(person, TWO_NODES, **LONG, PCM_STOP_MINUTES="0.05")
    running.wait_for_steps()
    for rank in (0, 1):
        running.kill(1, rank, "child_pid", signal.SIGSTOP)
    told = person.pcm("why", running.experiment.id).stdout
    assert told.count("is stopped by a signal") == 2
    person.pcm("cancel", running.experiment.id, "--yes", *options)
    assert running.wait_for_verdict()["reason"] == "cancel"
    running.wait_until_over()
    shown = person.pcm("status", running.experiment.id).stdout
    how = "killed; starts anew" if options else " s, killed; starts anew"
    assert "cancelled: " in shown
    assert how in shown


def test_one_that_hangs_when_its_time_is_over_comes_back(person: Person) -> None:
    running = Running.launch(person, {"tasks_per_node": 2}, **LONG, PCM_STOP_MINUTES="0.05")
    running.wait_for_steps()
    running.kill(1, 0, "child_pid", signal.SIGSTOP)
    person.run("scancel", "--signal=USR2", running.task)
    verdict = running.wait_for_verdict()
    assert (verdict["reason"], verdict["comes_back"]) == ("time_limit", True)
    wait_for(running.attempt(1).outcome(1).exists)
    running.wait_for_steps(attempt=2)
