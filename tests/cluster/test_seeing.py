"""Seeing and steering experiments on a real Slurm, as somebody at a terminal does."""

import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from launch.slurm.queue import read_queue
from tests.cluster.person import Person, wait_for
from tests.cluster.running import LONG, Running

COUNTING = """\
#!/bin/sh
echo "$0" >> "$HOME/calls"
PATH=/usr/local/bin:/usr/bin:/bin exec {name} "$@"
"""


def statuses(person: Person, *words: str) -> list[dict[str, Any]]:
    """What `pcm status --json` says of each experiment."""
    found: list[dict[str, Any]] = json.loads(person.pcm("status", *words, "--json").stdout)[
        "experiments"
    ]
    return found


def counts(person: Person) -> dict[str, int]:
    return dict(Counter(each["state"] for each in statuses(person)))


def count_calls(person: Person) -> list[str]:
    """Have the clients of Slurm that the person calls counted; forgets those before."""
    for name in ("squeue", "sacct", "scontrol", "scancel", "sinfo"):
        path = person.write_file(f"counted/{name}", COUNTING.format(name=name), 0o755)
    folders = [str(path.parent), person.environment["PATH"]]
    if folders[0] not in person.environment["PATH"]:
        person.environment["PATH"] = ":".join(folders)
    calls = person.home / "calls"
    if not calls.exists():
        return []
    names = [Path(line).name for line in calls.read_text().splitlines()]
    calls.unlink()
    return names


def test_one_question_however_many_experiments_there_are(person: Person) -> None:
    person.launch(person.write_grid(3, "running", mem=100), **LONG)
    person.launch(person.write_grid(40, "waiting", nodes=4, tasks_per_node=4), "--time", "10")
    wait_for(lambda: counts(person) == {"running": 3, "pending": 40})
    count_calls(person)
    assert len(statuses(person)) == 43
    assert count_calls(person) == ["squeue"]
    assert len(statuses(person, "waiting")) == 40
    assert count_calls(person) == ["squeue"]


def test_nobody_is_asked_where_nothing_is_on_slurm(person: Person) -> None:
    count_calls(person)
    person.pcm("launch", person.write_grid(1), "--executor", "local", "--yes")
    assert counts(person) == {"done": 1}
    assert count_calls(person) == []


def test_what_waits_tells_why_and_what_runs_how_far_it_is(person: Person) -> None:
    running = Running.launch(person, {"nodes": 4, "tasks_per_node": 4}, **LONG)
    running.wait_for_steps()
    # The first of these is the one that runs.
    person.launch(person.write_grid(3, "waiting", nodes=4, tasks_per_node=4))
    wait_for(lambda: "2 pending: waits for free nodes (Resources)" in person.pcm("status").stdout)
    [first, *others] = statuses(person)
    assert (first["state"], first["job"]) == ("running", running.task)
    assert first["progress"]["step"] >= 3
    assert {each["state"] for each in others} == {"pending"}
    told = person.pcm("why", others[0]["id"]).stdout
    assert "waits for free nodes (Resources)" in told
    assert others[0]["job"] in told


def test_max_parallel_is_named_as_the_reason(person: Person) -> None:
    person.launch(person.write_grid(3, max_parallel=1, mem=100), **LONG)
    wait_for(lambda: counts(person) == {"running": 1, "pending": 2})
    wait_for(lambda: "max_parallel of its sweep" in person.pcm("status").stdout)


@pytest.mark.own_cluster
def test_an_interrupted_one_is_requeued_and_runs_again(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    with running.preempted():
        wait_for(lambda: counts(person) == {"requeued": 1})
        told = person.pcm("why", running.experiment.id).stdout
        assert "preempted" in told
    running.wait_for_steps(2)
    [status] = statuses(person)
    assert (status["state"], status["attempt"]) == ("running", 2)


def test_a_failure_is_explained_by_the_rank_that_failed_first(person: Person) -> None:
    running = Running.launch(person, {"tasks_per_node": 2}, STAND_IN_FAIL="1")
    running.wait_for_verdict()
    wait_for(lambda: counts(person) == {"failed": 1})
    told = person.pcm("why", running.experiment.id).stdout
    for part in ("rank 1: ValueError: no such digit: 11", "exit code 1", "Traceback", "asked for"):
        assert part in told
    assert json.loads(person.pcm("why", running.experiment.id, "--json").stdout)["job"]


def test_a_killed_rank_is_explained_by_its_signal(person: Person) -> None:
    running = Running.launch(person, {"tasks_per_node": 2}, STAND_IN_KILLED="1")
    running.wait_for_verdict()
    told = person.pcm("why", running.experiment.id).stdout
    assert "rank 1: killed by SIGKILL" in told


def test_cancel_takes_out_what_waits_and_stops_what_runs(person: Person) -> None:
    person.launch(person.write_grid(4, max_parallel=1, mem=100), **LONG)
    wait_for(lambda: counts(person) == {"running": 1, "pending": 3})
    wait_for(lambda: (statuses(person)[0]["progress"] or {}).get("step", 0) > 2)
    person.pcm("cancel", "sweep", "--state", "pending", "--yes")
    assert len(person.queue("pending,running")) == 1
    assert counts(person) == {"running": 1, "cancelled": 3}
    person.pcm("cancel", "sweep", "--yes")
    person.wait_for_empty_queue()
    assert counts(person) == {"cancelled": 4}
    assert person.experiments()[0].run_dir.attempt(1).stopped.exists()
    assert "Nothing to cancel" in person.pcm("cancel", "sweep", "--yes").stdout
    person.pcm("launch", "sweep.yaml", "--partition", person.cluster.partition, "--yes")
    assert person.queue("pending,running") == []


def test_what_a_person_takes_out_of_the_queue_stays_cancelled(person: Person) -> None:
    person.launch(person.write_grid(2, nodes=4, max_parallel=1), **LONG)
    wait_for(lambda: counts(person) == {"running": 1, "pending": 1})
    [waiting] = [line.split()[0] for line in person.queue("pending")]
    person.run("scancel", waiting)
    wait_for(lambda: counts(person) == {"running": 1, "cancelled": 1})
    assert "taken out of the queue" in person.pcm("status", "--state", "cancelled").stdout


@pytest.mark.own_cluster
def test_followed_output_goes_on_with_the_next_attempt(person: Person) -> None:
    running = Running.launch(person, {"tasks_per_node": 2}, STAND_IN_STEPS="100")
    follower = person.start_pcm("logs", running.experiment.id, "-f", "--all-ranks")
    running.wait_for_steps()
    with running.preempted():
        running.wait_for_verdict()
    running.wait_for_end(2)
    output, errors = follower.communicate(timeout=60)
    assert follower.returncode == 0, errors
    for part in ("rank 0 of attempt 1", "rank 1 of attempt 1", "rank 1 of attempt 2"):
        assert part in output
    assert "--- attempt 2" in errors
    assert "rank 0: " in output
    assert "requeued" in errors


@pytest.mark.own_cluster
def test_a_controller_that_is_down_is_said_so_and_the_files_tell_the_rest(person: Person) -> None:
    running = Running.launch(person, **LONG)
    running.wait_for_steps()
    person.launch(person.write_grid(1, "waiting", nodes=4, tasks_per_node=4))
    person.cluster.kill("slurmctld", signal.SIGTERM)
    try:
        done = person.pcm("status", "--json")
        found = json.loads(done.stdout)
        assert "Slurm does not answer" in done.stderr
        assert "Slurm does not answer" in found["warning"]
        states = [each["state"] for each in found["experiments"]]
        assert states == ["running", "pending"]
        assert found["experiments"][0]["progress"]["step"] >= 3
        assert "Slurm does not answer" in person.pcm("plan", "waiting.yaml").stderr
        done = person.pcm("cancel", "waiting", "--yes")
        assert "as soon as it starts" in done.stderr
    finally:
        person.cluster.start_controller()
    person.pcm("cancel", "waiting", "--yes")
    wait_for(lambda: not person.queue("pending"))
    wait_for(lambda: counts(person) == {"running": 1, "cancelled": 1})


@pytest.mark.own_cluster
def test_the_queue_as_squeue_tells_it(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's own habits don't get in the way."""
    monkeypatch.setenv("SLURM_CONF", person.cluster.environment["SLURM_CONF"])
    monkeypatch.setenv("SQUEUE_STATES", "COMPLETED")
    monkeypatch.setenv("SLURM_TIME_FORMAT", "relative")
    running = Running.launch(person, **LONG)
    wait_for(lambda: running.state == "RUNNING")
    queue = read_queue([person.home.stat().st_uid])
    task = queue.tasks[running.task]
    assert (task.is_running, task.restarts, task.nodes) == (True, 0, "n1")
    assert task.start is not None
    assert abs(task.start - running.experiment.launch.path.stat().st_mtime) < 60
    assert task.token is not None
    assert queue.jobs[task.token] == running.task.partition("_")[0]


def test_no_slurm_at_all_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    queue = read_queue([0])
    assert not queue.is_known
    assert "squeue" in str(queue.trouble)
