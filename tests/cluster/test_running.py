"""Real training: being interrupted three times changes nothing."""

from pathlib import Path

import pytest

from launch.store import Experiment, Store
from launch.store.records import read_record
from pcm.run_dir import read_journal
from tests.cluster.person import Person, wait_for
from tests.cluster.running import PATIENCE_S, Running
from tests.resume.runs import assert_same_end

GRID = """\
name: real
base: {{model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}}
set:
  subsample_size: 256
  model.training.batch_size: {batch_size}
  model.training.max_epochs: {epochs}
resources: {{nodes: {nodes}, tasks_per_node: {tasks}, mem: 4000, time: 20}}
"""
STEPS_AN_EPOCH = 64


def start_undisturbed(person: Person, other_root: Path) -> Experiment:
    """The same experiment under another root, launched to be left alone."""
    arguments = ("launch", "real.yaml", "--partition", person.cluster.partition, "--yes")
    person.pcm(*arguments, PCM_RUNS_DIR=str(other_root))
    [whole] = Store(other_root).experiments()
    return whole


# The fewer ranks, the faster the steps: none may reach its end before the third interruption.
@pytest.mark.parametrize(("nodes", "tasks", "epochs"), [(1, 1, 48), (2, 2, 12)])
def test_three_interruptions_change_nothing(
    person: Person, nodes: int, tasks: int, epochs: int
) -> None:
    del person.environment["PCM_PYTHON"]
    batch_size = 4 // (nodes * tasks)
    text = GRID.format(nodes=nodes, tasks=tasks, epochs=epochs, batch_size=batch_size)
    person.write_file("real.yaml", text)
    running = Running.start(person, "real.yaml")
    interruptions = [
        ("scancel", "--signal=USR2", running.task),
        ("scontrol", "requeue", running.task),
        ("scancel", "--batch", "--signal=USR2", running.task),
    ]
    step = 0
    for attempt, interruption in enumerate(interruptions, start=1):
        running.wait_for_steps(attempt, step + 1)
        assert person.run(*interruption).returncode == 0
        assert running.wait_for_verdict(attempt)["comes_back"]
        stopped = read_record(running.attempt(attempt).stopped)
        assert step < stopped["step"] < STEPS_AN_EPOCH * epochs
        step = stopped["step"]
    running.wait_for_end(attempt=4)
    # Only now: eight ranks at once would crawl.
    whole = start_undisturbed(person, person.project / "left alone")
    wait_for(whole.run_dir.attempt(1).finished.exists, PATIENCE_S)

    assert_same_end(whole.run_dir, running.experiment.run_dir)
    rows = read_journal(running.experiment.run_dir.metrics)
    logged = [(row.step, key) for row in rows for key in row.values]
    assert len(logged) == len(set(logged))
