"""One process that trains short experiments one after another: the peer of forks and packs.

It trains run directories as `python -m pcm` does each. Lightning is imported as any program does,
which is what counts; and as pcm does, in three quarters of the time, which tells what launchers,
supervisors and forks cost. Experiments in an image have a peer in the same image, too.
"""

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.pairs import Cost, cost_of_command
from benchmarks.small_sweep import freeze_sweep
from launch.container import Container, apptainer_environment, exec_command
from launch.container.command import PYTHON
from launch.container.settings import Bind
from launch.store import Experiment, Store
from launch.store.run_dirs import create_run_dir
from pcm.run_dir import read_json

STEPS = 20
OVERRIDES = {
    "subsample_size": 8 * STEPS,
    "model.training.batch_size": 8,
    "model.training.max_epochs": 1,
}

LEAN = """
import sys
from pcm.__main__ import main
for each in sys.argv[1:]:
    code = main([each])
    assert code == 0, code
"""
"""Imports Lightning as pcm does."""

PLAIN = "import lightning" + LEAN
"""Imports it as any program does."""

Metrics = list[dict[str, float]]

Peer = Callable[[Path], tuple[Cost, Metrics]]
"""From an empty folder to what it took, and the last metrics of each experiment."""


def peers(experiments: int, image: Path | None) -> dict[str, Peer]:
    """By name; goals are for the last one, which is where the experiments are."""
    found: dict[str, Peer] = {
        "one with pcm's imports": partial(train_in_one, experiments=experiments, program=LEAN),
        "one process": partial(train_in_one, experiments=experiments, program=PLAIN),
    }
    if image is not None:
        inside = partial(train_in_one, experiments=experiments, program=PLAIN, image=image)
        found["one in the image"] = inside
    return found


def train_in_one(
    folder: Path, experiments: int, program: str, image: Path | None = None
) -> tuple[Cost, Metrics]:
    """Train so many with a program, in an image or with the libraries that are here."""
    root = freeze_sweep(folder, experiments, OVERRIDES)
    found = Store(root).experiments()
    run_dirs = [str(create_run_dir(each.launch.path, each.id).path) for each in found]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program, *run_dirs]
    if image is not None:
        container = Container(image.absolute(), binds=(Bind(str(root), str(root)),))
        command = exec_command(container, [PYTHON, "-c", program, *run_dirs])
        environment = apptainer_environment(environment, {})
    return cost_of_command(command, environment=environment), last_metrics(found)


def last_metrics(experiments: list[Experiment]) -> Metrics:
    """What each has come to, in its first attempt."""
    finished = (read_json(each.run_dir.attempt(1).finished) for each in experiments)
    return [record["metrics"] for record in finished]
