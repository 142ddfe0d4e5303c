"""The whole way on a file system that has no room for what training ends with."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.grid import expand
from launch.local.runner import run_local
from launch.status.state import State
from launch.status.statuses import read_status
from launch.store import Store
from pcm.run_dir import read_json
from pcm.run_dir.checkpoints import read_manifests

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")

CONFIG = Path(__file__).parents[2] / "config"

GRID = f"""
name: no-room
base:
  model: {CONFIG}/models/vae.yaml
  data_train: {CONFIG}/data/mnist-plain-train.yaml
  data_val: {CONFIG}/data/mnist-plain-test.yaml
set: {{subsample_size: 64, model.training.max_epochs: 1}}
resources: {{nodes: 1, tasks_per_node: 1}}
"""


def mount(path: Path, options: str) -> None:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file systems can be mounted here: {mounted.stderr.strip()}")


@pytest.fixture
def small(root: Path) -> Iterator[Path]:
    """A runs folder with room for records, and for no checkpoint."""
    root.mkdir(exist_ok=True)
    mount(root, "size=1m")
    yield root
    subprocess.run(["umount", str(root)], check=True)


def test_what_could_not_be_saved_is_failed_and_goes_on_when_there_is_room(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PCM_PYTHON")
    grid = Path("grid.yaml")
    grid.write_text(GRID)
    store = Store(small)
    store.freeze(expand(grid))
    [experiment] = store.experiments()
    status = run_local([experiment], 1, lambda _: None).statuses[experiment.id]
    assert status.state is State.FAILED
    assert "could not be saved: No space left on device" in status.detail
    mount(small, "remount,size=64m")
    assert run_local([experiment], 1, lambda _: None).statuses[experiment.id].state is State.DONE
    assert read_status(experiment).attempt == 2
    (end,) = read_manifests(experiment.run_dir.checkpoints)
    assert end.step == read_json(experiment.run_dir.attempt(2).finished)["step"]
