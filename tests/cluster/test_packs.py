"""Packs in a real Slurm: jobs that share out a grid's experiments among them."""

import os
import signal
from typing import Any

from launch.status.state import State
from launch.store.claims import Claims
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from tests.cluster.person import Person, wait_for
from tests.cluster.running import Running

PACK: dict[str, Any] = {"pack": {"per_job": 3, "per_gpu": 2}, "cpus_per_task": 1}


def states(person: Person) -> dict[str, str]:
    """The state of each experiment, by its id, as `pcm status` tells it."""
    return {line.split()[0]: line for line in person.pcm("status").stdout.splitlines() if line}


def test_a_pack_is_preempted_and_one_of_it_crashes(person: Person) -> None:
    experiments = person.launch(person.write_grid(6, **PACK), STAND_IN_STEPS="60")
    [submission] = all_submissions(person.store.root)
    assert (submission.tasks, len(submission.array)) == (2, 6)
    first = Running(person, experiments[0], f"{submission.job_id}_0")
    other = Running(person, experiments[1], f"{submission.job_id}_0")
    first.wait_for_steps()
    other.wait_for_steps(steps=1)
    other.kill(1, 0, "child_pid", signal.SIGKILL)
    with first.preempted():
        verdict = first.wait_for_verdict()
    assert (verdict["reason"], verdict["is_sent_back"]) == ("preempted", True)
    done = [each for each in experiments if each is not experiments[1]]

    second = Running(person, experiments[3], f"{submission.job_id}_1")

    def are_done() -> bool:
        # Both jobs may have been on the node that was wanted.
        first.hurry()
        second.hurry()
        return all(any(a.finished.exists() for a in each.run_dir.attempts()) for each in done)

    wait_for(are_done, 120)
    person.wait_for_empty_queue()
    found = person.pcm("status", "--json").stdout
    assert found.count(f'"state": "{State.DONE}"') == 5
    assert found.count(f'"state": "{State.FAILED}"') == 1
    # Nothing was trained twice: an attempt goes on where the one before has stopped.
    for each in experiments:
        *former, _ = each.run_dir.attempts()
        assert all(read_record(attempt.stopped) for attempt in former)


def test_what_a_killed_job_had_is_taken_over(person: Person) -> None:
    experiments = person.launch(person.write_grid(4, **PACK), STAND_IN_STEPS="80")
    [submission] = all_submissions(person.store.root)
    killed = f"{submission.job_id}_0"
    running = Running(person, experiments[0], killed)
    running.wait_for_steps()
    # Without a word to anybody: no signal reaches what is killed so.
    os.kill(read_record(Claims(submission).allocation(killed))["pid"], signal.SIGKILL)
    wait_for(lambda: running.state in ("FAILED", "COMPLETED", "CANCELLED"), 60)
    wait_for(
        lambda: all(
            each.run_dir.attempts()[-1:] and each.run_dir.attempts()[-1].finished.exists()
            for each in experiments
        ),
        120,
    )
    person.wait_for_empty_queue()
    jobs = {read_record(each.run_dir.attempts()[-1].attempt)["job_id"] for each in experiments}
    assert jobs == {f"{submission.job_id}_1"}
