from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import JournalWriter, RunDir, write_json


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    """A run directory with a name that breaks careless code, without any tracker."""
    folder = RunDir(tmp_path / "ein 'Lauf' \"ä\" 1")
    folder.path.mkdir()
    folder.config.write_text("seed: 0\nmodel: {chain: [{name: encoder, dims: [4, 2]}]}\n")
    describe(folder, tracker=None)
    return folder


def describe(run_dir: RunDir, tracker: Any) -> dict[str, Any]:
    """Write the experiment's record, and return it."""
    record = {"id": "c0ffee1234", "name": "grid 1 ä", "tags": ["vae"], "tracker": tracker}
    write_json(run_dir.experiment, record)
    return record


def write_look(run_dir: RunDir, attempt: int, when: float, rank: int = 0, **gpu: float) -> None:
    """What a supervisor has seen of a rank at a moment."""
    files = run_dir.attempt(attempt)
    files.path.mkdir(parents=True, exist_ok=True)
    if not files.attempt.exists():
        write_json(files.attempt, {"number": attempt, "started": when - 30})
    newest = {"time": when, "cores": 1.5, "memory_mb": 2000.0, **gpu}
    write_json(files.usage(rank), {"samples": 1, "newest": newest})


def write_rows(
    run_dir: RunDir, first: int, last: int, attempt: int = 1, resumed_from: int | None = None
) -> None:
    """One attempt's journal rows for the steps first..last, of two series."""
    journal = JournalWriter(run_dir.metrics, attempt, resumed_from)
    for step in range(first, last + 1):
        journal.append(step, 0, 1000.0 + step, {"train/loss": step / 2, "val/mse ä": float(-step)})
    journal.close()
