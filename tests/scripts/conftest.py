"""A folder to launch scripts from, and what they leave."""

import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from launch.grid import expand
from launch.local.runner import run_local
from launch.status.state import Status
from launch.store import Experiment, Store
from launch.submit.completion import Completion

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


class Folder:
    """A working directory whose name has a space in it, and its runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path / "the runs")

    def write(self, **files: str) -> None:
        """Write `train.py` for `train_py=...`, and so on."""
        for name, text in files.items():
            (self.path / name.replace("_", ".")).write_text(text)

    def copy_example(self, name: str) -> None:
        """The files of an example."""
        shutil.copytree(EXAMPLES / name, self.path, dirs_exist_ok=True)

    def launch(self, **overrides: Any) -> list[Experiment]:
        """Freeze `grid.yaml`; its experiments in its order."""
        paths = {path.replace("__", "."): value for path, value in overrides.items()}
        grid = expand(Path("grid.yaml"), overrides=paths)
        self.store.freeze(grid, details={"executor": "local"})
        found = {each.id: each for each in self.store.experiments()}
        return [found[point.id] for point in grid.points]


def run(experiments: list[Experiment], stop_at: int | None = None) -> Completion:
    """Run them here, and ask for a stop, as Ctrl-C does, at the step of the first one."""
    is_asked = False

    def look(statuses: Mapping[str, Status]) -> None:
        nonlocal is_asked
        progress = statuses[experiments[0].id].progress
        step = 0 if progress is None else progress.step or 0
        if stop_at is not None and not is_asked and step >= stop_at:
            is_asked = True
            signal.raise_signal(signal.SIGINT)

    return run_local(experiments, 2, look)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """An empty working directory."""
    path = tmp_path / "my prøject"
    path.mkdir()
    monkeypatch.chdir(path)
    monkeypatch.delenv("PCM_PYTHON", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Folder(path)
