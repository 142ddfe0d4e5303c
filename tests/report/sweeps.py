"""Sweeps with made results, for those who look at pages rather than train."""

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import yaml

from launch.grid import expand
from launch.store import Experiment, Store
from pcm.run_dir import write_json
from pcm.run_dir.summary import summarise, write_summary

MODEL = """\
class_path: my_package.models.Model
init_args: {lr: 1e-3, width: 8, dropout: 0.0, activation: relu}
"""
DATA = "{class_path: my_package.data.Data, init_args: {batch_size: 4}}\n"
TRAINER = "{callbacks: [], num_nodes: null, devices: null, accelerator: null, kwargs: {}}\n"

GRID = {
    "model.init_args.lr": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2],
    "model.init_args.width": [16, 32, 64, 128, 256],
    "model.init_args.dropout": [0.0, 0.1, 0.2, 0.4],
    "seed": [0, 1, 2, 3, 4],
}
"""Of 500 points."""

METRICS = ("train/loss", "val/loss", "val/elbo", "val/kl", "val/mse", "val/acc", "grad", "lr")

BEGAN = 1_700_000_000.0


def freeze(folder: Path, name: str, **entries: Any) -> list[Experiment]:
    """The points of a grid that nothing has run of; `entries` are those of its file."""
    for section, content in (("models", MODEL), ("data", DATA), ("trainer", TRAINER)):
        (folder / "config" / section).mkdir(parents=True, exist_ok=True)
        (folder / "config" / section / "plain.yaml").write_text(content)
    grids = folder / "config" / "grids"
    grids.mkdir(exist_ok=True)
    base = dict.fromkeys(("model", "data_train", "trainer"), "plain.yaml")
    (grids / "made.yaml").write_text(
        yaml.safe_dump({"name": name, "base": base, **entries}, sort_keys=False)
    )
    store = Store(folder / "runs")
    store.freeze(expand(grids / "made.yaml"))
    return store.experiments(name)


def train(experiment: Experiment, rows: int, metrics: Sequence[str] = METRICS) -> None:
    """Write what its training would have left: a journal, and that it is done."""
    values = experiment.overrides
    noise = Random(json.dumps(dict(values), default=str))
    lr = float(values.get("model.init_args.lr", 1e-3))
    width = float(values.get("model.init_args.width", 64))
    floor = 0.1 + 0.12 * (math.log10(lr) + 2.8) ** 2 + 4 / (width + 16) + noise.gauss(0, 0.01)
    lines = []
    for row in range(1, rows + 1):
        loss = floor + 2.2 * math.exp(-row / rows * 6) + noise.gauss(0, 0.02)
        logged = {
            name: loss * (1 + 0.3 * place) * (-1 if name == "val/elbo" else 1)
            for place, name in enumerate(metrics)
        }
        step, epoch = row * 10, row * 20 // rows
        time = BEGAN + row * (3.0 + noise.random() * 0.2)
        record = {"attempt": 1, "step": step, "epoch": epoch, "time": time, "values": logged}
        lines.append(json.dumps(record))
    run_dir = experiment.create_run_dir()
    run_dir.metrics.write_text("\n".join([*lines, ""]))
    write_summary(run_dir, summarise(run_dir.metrics))
    ended = BEGAN + rows * 3.2
    attempt(experiment, ended=ended)
    used = {"samples": rows, "seconds": rows * 3.0, "cpu_s": rows * 4.5, "memory_mb": 1234.0}
    write_json(run_dir.attempt(1).usage(0), used, durable=False)
    write_json(run_dir.attempt(1).finished, {"step": rows * 10, "epoch": 20}, durable=False)


def copy(trained: Experiment, experiment: Experiment) -> None:
    """Let an experiment have come to what another one has."""
    run_dir = experiment.create_run_dir()
    shutil.copytree(trained.run_dir.attempts_folder, run_dir.attempts_folder)
    for path in (trained.run_dir.metrics, trained.run_dir.summary):
        shutil.copy(path, run_dir.path)


def fail(experiment: Experiment, message: str, traceback: str = "") -> None:
    """Write what a failed attempt leaves."""
    experiment.create_run_dir()
    files = attempt(experiment, ended=BEGAN + 60, exit_code=1)
    error = {"type": "RuntimeError", "message": message, "traceback": traceback, "rank": 0}
    write_json(files.error(0), error, durable=False)
    write_json(files.failed, {"rank": 0, "exit_code": 1}, durable=False)


def attempt(experiment: Experiment, *, ended: float, exit_code: int = 0) -> Any:
    """An attempt that is over."""
    files = experiment.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    began = {"number": 1, "key": "made", "executor": "hand", "host": "node-1", "started": BEGAN}
    write_json(files.attempt, {**began, "world_size": 1}, durable=False)
    write_json(files.outcome(0), {"exit_code": exit_code, "ended": ended}, durable=False)
    return files
