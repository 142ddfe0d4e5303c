"""Training processes that are forked are as good as fresh ones, and there without their nursery."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from launch.grid import expand
from launch.local.nursery import Nursery
from launch.local.runner import run_local
from launch.status.state import State, Status
from launch.status.statuses import read_status
from launch.store import Experiment, Store
from launch.supervisor.forked import ColdError
from tests.local.conftest import Launcher, first_attempt, marked_processes, trains, wait_for
from tests.local.launches import make_launch
from tests.local.test_training import GRID
from tests.resume.runs import assert_same, newest

AFRESH = "training starts afresh"


@pytest.fixture
def experiments(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """Two that differ in nothing that training computes."""
    monkeypatch.delenv("PCM_PYTHON")
    # With several threads, sums would tell whether there are as many of them.
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    grid = Path("grid é.yaml")
    text = GRID.replace("tasks_per_node: 2", "tasks_per_node: 1").replace(
        "max_epochs: 8", "max_epochs: 1"
    )
    grid.write_text(f"{text}grid:\n  trainer.kwargs.max_steps: [1000000, 2000000]\n")
    store = Store(root)
    store.freeze(expand(grid))
    return store.experiments()


def nurseries(mark: str) -> list[psutil.Process]:
    """Oldest first; what they have forked has their command line."""
    found = [each for each in marked_processes(mark) if "launch.local.forking" in each.cmdline()]
    return sorted(found, key=lambda each: each.create_time())


def test_a_forked_one_computes_the_same_bits_and_a_killed_nursery_is_done_without(
    experiments: list[Experiment], mark: str
) -> None:
    forked, fresh = experiments
    killed: list[int] = []

    def kill(statuses: Mapping[str, Status]) -> None:
        # It goes on without the one that it was forked from.
        if not killed and trains(forked):
            killed.append(nurseries(mark)[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    run = run_local(experiments, 1, kill)
    logs = [first_attempt(each).log(0).read_text() for each in experiments]
    assert [status.state for status in run.statuses.values()] == [State.DONE] * 2, logs
    assert killed
    assert AFRESH not in logs[0]
    assert f"{AFRESH}: the process that forks has ended" in logs[1]
    left, right = newest(forked.run_dir), newest(fresh.run_dir)
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(left[part], right[part], part)
    assert_same(left["pcm"]["ranks"], right["pcm"]["ranks"], "ranks")


def test_a_killed_launcher_takes_forked_experiments_with_it(
    experiments: list[Experiment], start_launcher: Callable[[int], Launcher], mark: str
) -> None:
    launcher = start_launcher(1)
    wait_for(lambda: trains(experiments[0]), 120)
    launcher.process.kill()
    launcher.process.wait()
    wait_for(lambda: not marked_processes(mark), 60)
    assert read_status(experiments[0]).state in (State.STOPPED, State.DONE)
    assert read_status(experiments[1]).state is State.NEW


def test_a_stopped_nursery_is_given_up(root: Path, mark: str) -> None:
    [experiment] = make_launch(root)
    nursery = Nursery(threads=1)
    [process] = wait_for(lambda: nurseries(mark))
    process.suspend()
    wait_for(lambda: not nursery.is_loading())
    with pytest.raises(ColdError, match="a signal has stopped"):
        nursery.fork(experiment, "key", "{}")
    nursery.close()


def test_edited_code_is_not_forked(
    root: Path, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Imported by Python itself, so that nothing that training needs has to be loaded.
    own = tmp_path / "sitecustomize.py"
    own.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    [experiment] = make_launch(root)
    nursery = Nursery(threads=1, is_for_training=False)
    wait_for(lambda: not nursery.is_loading())
    own.write_text("SIZE = 1\n")
    with pytest.raises(ColdError, match=r"sitecustomize\.py was edited"):
        nursery.fork(experiment, "key", "{}", is_training=False)
    assert not experiment.launch.local_job("key").exists()
    nursery.close()
    assert nurseries(mark) == []


def test_what_modules_start_as_they_are_loaded_is_not_left_behind(
    mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "import subprocess\nsubprocess.Popen(['sleep', '300'])\n"
    (tmp_path / "sitecustomize.py").write_text(start)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    nursery = Nursery(threads=1, is_for_training=False)
    wait_for(lambda: not nursery.is_loading())
    assert len(marked_processes(mark)) == 2
    nursery.close()
    wait_for(lambda: not marked_processes(mark))
