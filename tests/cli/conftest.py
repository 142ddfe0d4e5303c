"""A project folder with configs, a runs folder, and experiments in any state."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from launch.cli import app
from launch.grid import expand
from launch.store import Experiment, Store
from pcm.run_dir import AttemptDir, JournalWriter, write_json
from pcm.run_dir.checkpoints import Manifest, write_manifest

ROOT = Path(__file__).parents[2]

GRID = """\
name: small
tags: [vae]
base: {model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}
grid:
  seed: [0, 1]
  model.training.max_epochs: [1, 2]
resources: {tasks_per_node: 1, time: "01:00:00"}
"""

Pcm = Callable[..., Result]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: configs, a grid of four points, no runs yet; a nasty path."""
    folder = tmp_path / "my prøject's “folder”"
    shutil.copytree(ROOT / "config", folder / "config")
    (folder / "small.yaml").write_text(GRID)
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PCM_RUNS_DIR", raising=False)
    monkeypatch.delenv("PCM_DEBUG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return folder


@pytest.fixture
def pcm(project: Path) -> Pcm:
    """Run a command in this process, as if typed in the project folder."""

    def run(*arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=typed)

    return run


@dataclass(frozen=True)
class Runs:
    """A runs folder with one launch of the small grid."""

    store: Store
    experiments: list[Experiment]

    def attempt(self, index: int, **facts: Any) -> AttemptDir:
        """One more attempt of an experiment, whose processes are gone."""
        run_dir = self.experiments[index].create_run_dir()
        attempt = run_dir.attempt(len(run_dir.attempts()) + 1)
        attempt.path.mkdir(parents=True)
        gone = {"host": os.uname().nodename, "pid": 2**22 + 1, "process_started": "1"}
        started = {"number": attempt.number, "started": time.time(), "world_size": 1}
        write_json(attempt.attempt, {**started, **gone, **facts})
        return attempt

    def finish(self, index: int, **metrics: float) -> AttemptDir:
        """An experiment that is done."""
        attempt = self.attempt(index)
        journal = JournalWriter(self.experiments[index].run_dir.metrics, 1, None)
        journal.append(10, 1, time.time(), metrics)
        journal.close()
        attempt.log(0).write_bytes(b"first line\nlast line \xff\n")
        write_json(attempt.finished, {"step": 10, "epoch": 1, "metrics": metrics})
        return attempt

    def fail(self, index: int, message: str) -> AttemptDir:
        """An experiment of which rank 0 failed."""
        attempt = self.attempt(index)
        write_json(attempt.failed, {"rank": 0, "exit_code": 1, "signal": None})
        error = {"type": "ValueError", "message": message, "traceback": "", "rank": 0}
        write_json(attempt.error(0), error)
        return attempt


@pytest.fixture
def runs(project: Path) -> Runs:
    """The small grid, launched by the local executor and never started."""
    store = Store(project / "runs")
    store.freeze(expand(Path("small.yaml")), details={"executor": "local"})
    return Runs(store, store.experiments())


def add_checkpoint(folder: Path, file: str, step: int, attempt: int = 1) -> None:
    """A checkpoint whose content nobody looks at, with its manifest."""
    content = b"weights"
    (folder / file).write_bytes(content)
    manifest = Manifest(
        file=file,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        step=step,
        epoch=0,
        attempt=attempt,
        time=float(step),
        reason="epoch",
    )
    write_manifest(folder, manifest)
