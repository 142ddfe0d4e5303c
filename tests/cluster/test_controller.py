"""A controller that is restarted or killed while experiments run: nothing lost, nothing twice."""

import signal
from collections.abc import Iterator

import pytest

from launch.status.state import State
from launch.store import Experiment
from launch.store.records import read_record
from launch.store.submissions import all_submissions
from pcm.run_dir import write_json
from tests.cluster.person import HELD, Person, wait_for
from tests.cluster.running import LONG, PATIENCE_S, Running
from tests.cluster.slurm import SlurmCluster

pytestmark = pytest.mark.own_cluster


@pytest.fixture
def healed(cluster: SlurmCluster) -> Iterator[SlurmCluster]:
    """The cluster; nodes that Slurm takes out of service meanwhile are put back."""
    yield cluster
    for node in cluster.node_names:
        cluster.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)


def trains(experiment: Experiment) -> bool:
    """Whether its newest attempt has made a few steps."""
    attempts = experiment.run_dir.attempts()
    return bool(attempts) and read_record(attempts[-1].progress).get("step", 0) >= 3


def finished(experiment: Experiment) -> int:
    """How often it was trained to its end."""
    return sum(files.finished.exists() for files in experiment.run_dir.attempts())


def state(person: Person, experiment: Experiment) -> str:
    return person.pcm("status", experiment.id, "--json").stdout


def test_a_controller_that_restarts_under_load_loses_nothing(person: Person) -> None:
    grid = person.write_grid(6, max_parallel=2, mem=100)
    experiments = person.launch(grid, STAND_IN_STEPS="100")
    # Not while steps are being made: srun then waits for two minutes until it asks again.
    wait_for(lambda: sum(map(trains, experiments)) == 2, PATIENCE_S)
    person.cluster.kill("slurmctld", signal.SIGTERM)
    person.cluster.start_controller()
    assert "Slurm does not answer" not in person.pcm("status").stderr
    again = person.pcm("launch", grid, "--partition", person.cluster.partition, "--yes").stdout
    assert "Nothing new" in again, again
    more = person.launch(person.write_grid(7, "more", mem=100))
    assert len(more) == 7
    person.wait_for_empty_queue(PATIENCE_S)
    for experiment in person.experiments():
        [attempt] = experiment.run_dir.attempts()
        assert attempt.finished.exists(), attempt.log(0).read_text()


def test_what_runs_is_left_alone_though_slurm_has_forgotten_it(
    person: Person, healed: SlurmCluster
) -> None:
    grid = person.write_grid(2, tasks_per_node=2)
    with healed.forgotten():
        experiments = person.launch(grid, **LONG)
        wait_for(lambda: all(map(trains, experiments)), PATIENCE_S)
        # Otherwise they kill what the controller doesn't know as soon as it is back.
        for node in healed.node_names:
            healed.kill(node)
    try:
        assert person.queue() == []
        for experiment in experiments:
            assert "does not know its job" in state(person, experiment)
        again = person.pcm("launch", grid, "--partition", person.cluster.partition, "--yes").stdout
        assert "Nothing new" in again, again
        assert person.try_pcm("resume", experiments[0].id).returncode == 4
        assert person.queue() == []
    finally:
        for node in healed.node_names:
            healed.start_node(node)
    wait_for(lambda: not person.processes(), PATIENCE_S)
    # What was handed over a moment ago would be waited for: it may only not be listed yet.
    for submission in all_submissions(person.store.root):
        record = read_record(submission.files.outcome)
        write_json(submission.files.outcome, record | {"time": 1.0})
    person.launch(grid)
    person.wait_for_empty_queue(PATIENCE_S)
    assert [finished(each) for each in experiments] == [1, 1]
    assert [len(each.run_dir.attempts()) for each in experiments] == [2, 2]


def test_what_slurm_has_waiting_again_though_it_ran_is_started_once_more(
    person: Person, healed: SlurmCluster
) -> None:
    person.write_file("site.yaml", HELD)
    grid = person.write_grid(1, tasks_per_node=2)
    [experiment] = person.launch(grid, "--site", "site.yaml", **LONG)
    job = person.queue("pending")[0].partition("_")[0]
    with healed.forgotten():
        healed.run("scontrol", "release", job)
        wait_for(lambda: trains(experiment), PATIENCE_S)
        node = healed.run("squeue", "-h", "-j", job, "-o", "%B").strip()
    told = person.pcm("launch", grid, "--partition", person.cluster.partition, "--yes").stdout
    assert "Nothing new" in told, told
    # Elsewhere: that node may still be at the end of it, and Slurm then holds the job.
    healed.run("scontrol", "update", f"JobId={job}", f"ExcNodeList={node}")
    healed.run("scontrol", "release", job)
    Running(person, experiment, f"{job}_0").wait_for_steps(attempt=2)
    assert str(State.RUNNING) in state(person, experiment)
    both = [experiment.run_dir.attempt(2).supervisor(rank).exists() for rank in (0, 1)]
    assert both == [True, True]
    assert not person.store.root.cancelled(experiment.id).exists()
