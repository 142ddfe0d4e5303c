"""The whole way on real digits: grid file, store, supervisors, training, stop and resume."""

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from launch.grid import expand
from launch.local.runner import run_local
from launch.results.usage import used_by
from launch.status.state import State, Status
from launch.status.statuses import read_status
from launch.store import Experiment, Store
from launch.supervisor.outcomes import has_silent_rank
from pcm.run_dir import read_journal, read_json
from tests.local.conftest import stop_rank

CONFIG = Path(__file__).parents[2] / "config"

GRID = f"""
name: two-ranks
base:
  model: {CONFIG}/models/vae.yaml
  data_train: {CONFIG}/data/mnist-plain-train.yaml
  data_val: {CONFIG}/data/mnist-plain-test.yaml
  trainer: {CONFIG}/trainer/default.yaml
set:
  subsample_size: 512
  model.training.batch_size: 4
  model.training.max_epochs: 8
resources: {{nodes: 1, tasks_per_node: 2}}
"""
STEPS = 8 * 512 // (2 * 4)


@pytest.fixture
def experiment(root: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    """Two ranks of a small VAE."""
    monkeypatch.delenv("PCM_PYTHON")
    grid = Path("grid é.yaml")
    grid.write_text(GRID)
    store = Store(root)
    store.freeze(expand(grid))
    [only] = store.experiments()
    return only


def test_two_ranks_stop_and_go_on_where_they_were(experiment: Experiment) -> None:
    is_interrupted = False

    def interrupt(statuses: Mapping[str, Status]) -> None:
        nonlocal is_interrupted
        progress = statuses[experiment.id].progress
        if not is_interrupted and progress is not None and (progress.step or 0) > 3:
            is_interrupted = True
            os.kill(os.getpid(), signal.SIGINT)

    run = run_local([experiment], 1, interrupt)
    assert run.is_interrupted
    status = run.statuses[experiment.id]
    assert status.state is State.STOPPED, experiment.run_dir.attempt(1).log(0).read_text()
    stopped = read_json(experiment.run_dir.attempt(1).stopped)
    assert 3 < stopped["step"] < STEPS
    assert (experiment.run_dir.checkpoints / stopped["checkpoint"]).exists()

    run = run_local([experiment], 1, lambda _: None)
    assert run.statuses[experiment.id].state is State.DONE
    assert read_status(experiment).attempt == 2
    assert read_json(experiment.run_dir.attempt(2).finished)["step"] == STEPS
    rows = read_journal(experiment.run_dir.metrics)
    logged = [(row.step, key) for row in rows for key in row.values]
    assert len(logged) == len(set(logged))
    assert max(row.step for row in rows) == STEPS
    used = used_by(experiment)
    assert used.samples >= 4  # of two ranks in two attempts, each longer than a second
    assert used.cores is not None
    assert used.cores > 0.1
    assert used.memory_mb is not None
    assert used.memory_mb > 100


def test_the_rank_that_never_came_is_named(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCM_COLLECTIVE_MINUTES", "0.1")
    is_stopped = False

    def hang(statuses: Mapping[str, Status]) -> None:
        nonlocal is_stopped
        progress = statuses[experiment.id].progress
        if not is_stopped and progress is not None and (progress.step or 0) > 3:
            is_stopped = True
            stop_rank(experiment, 1)

    run = run_local([experiment], 1, hang)
    status, files = run.statuses[experiment.id], experiment.run_dir.attempt(1)
    assert status.state is State.FAILED, files.log(0).read_text()
    never = "rank 1: never came to where the other ranks waited for it: a signal had stopped it"
    assert status.detail == never
    assert read_json(files.error(0))["timed_out"] is True
    assert has_silent_rank(files)
