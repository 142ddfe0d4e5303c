"""Runs real training processes, as a supervisor would, and compares what they leave."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

from pcm.run_dir import RunDir, read_json, write_json, write_text
from pcm.training.checkpoint_io import load_plain
from pcm.training.manifests import read_manifests

OWN = Path(__file__).parent / "own"
TIMEOUT = 120


@dataclass(frozen=True)
class Result:
    """How the ranks of one attempt ended."""

    codes: list[int]
    output: str


def make_run(folder: Path, **config: Any) -> RunDir:
    """A run directory with everything that a host side would have written."""
    run_dir = RunDir(folder)
    folder.mkdir(parents=True)
    defaults = {
        "schema_version": 1,
        "seed": 7,
        "subsample_size": None,
        "world_size": 1,
        "model": {"class_path": "own_model.Automatic"},
        "data_train": {"class_path": "own_model.Data"},
        "data_val": None,
        "trainer": {
            "callbacks": [],
            "num_nodes": None,
            "devices": None,
            "accelerator": "cpu",
            "kwargs": {"max_epochs": 3, "log_every_n_steps": 1},
        },
    }
    write_text(run_dir.config, yaml.safe_dump(defaults | config))
    experiment = {"schema_version": 1, "id": "0123456789", "name": "test", "tags": []}
    write_json(run_dir.experiment, {**experiment, "tracker": None, "starts_from": None})
    return run_dir


def start(run_dir: RunDir, attempt: int, world_size: int = 1, **options: str) -> list[Any]:
    """Start the ranks of one attempt."""
    checkpoint = options.pop("checkpoint", None)
    words = [] if checkpoint is None else ["--checkpoint", checkpoint]
    folder = run_dir.attempt(attempt)
    folder.path.mkdir(parents=True)
    command = [sys.executable, "-m", "pcm", str(run_dir.path), "--attempt", str(attempt), *words]
    common = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(OWN),
        "WORLD_SIZE": str(world_size),
        "LOCAL_WORLD_SIZE": str(world_size),
        "OWN_STOP_FILE": str(folder.stop),
        **options,
    }
    return [
        subprocess.Popen(
            command,
            env={**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world_size)
    ]


def finish(processes: list[Any]) -> Result:
    """Wait for the ranks; none is left behind."""
    try:
        outputs = [process.communicate(timeout=TIMEOUT)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return Result([process.returncode for process in processes], "\n".join(outputs))


def run(run_dir: RunDir, attempt: int, world_size: int = 1, **options: str) -> Result:
    """Run one attempt to its end."""
    return finish(start(run_dir, attempt, world_size, **options))


def newest(run_dir: RunDir) -> dict[str, Any]:
    """The content of the newest checkpoint."""
    return load_plain(run_dir.checkpoints / read_manifests(run_dir.checkpoints)[0].file)


def assert_same_end(one: RunDir, other: RunDir) -> None:
    """Weights, optimizers, schedulers, every rank's generators and the metrics are equal."""
    left, right = newest(one), newest(other)
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(left[part], right[part], part)
    for rank, (ours, theirs) in enumerate(zip(left["pcm"]["ranks"], right["pcm"]["ranks"])):
        for part in ("generators", "model"):
            assert_same(ours[part], theirs[part], f"{part} of rank {rank}")
    assert one.metrics_table.read_text() == other.metrics_table.read_text()
    assert read_json(_last(one).finished) == read_json(_last(other).finished)


def _last(run_dir: RunDir) -> Any:
    return run_dir.attempts()[-1]


def assert_same(one: Any, other: Any, where: str) -> None:
    """Equal to the last bit."""
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert list(one) == list(other), where
        for key in one:
            assert_same(one[key], other[key], f"{where}.{key}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            assert_same(mine, theirs, f"{where}.{index}")
    else:
        assert one == other, where
