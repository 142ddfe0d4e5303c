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


def write_rows(
    run_dir: RunDir, first: int, last: int, attempt: int = 1, resumed_from: int | None = None
) -> None:
    """One attempt's journal rows for the steps first..last, of two series."""
    journal = JournalWriter(run_dir.metrics, attempt, resumed_from)
    for step in range(first, last + 1):
        journal.append(step, 0, 1000.0 + step, {"train/loss": step / 2, "val/mse ä": float(-step)})
    journal.close()
