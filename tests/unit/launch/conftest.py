"""A config folder with a hostile name, and grids in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.grid import Grid, expand

MODEL = """\
class_path: my_package.models.Model
init_args:
  lr: 1e-3
  width: 8
  layers:
    - {name: first, kwargs: {width: 4}}
    - {name: second, kwargs: {width: 16}}
"""
DATA = "{class_path: my_package.data.Data, init_args: {batch_size: 4}}\n"
TRAINER = """\
callbacks: []
num_nodes: null
devices: null
accelerator: null
kwargs: {}
"""
BASE = {"model": "small.yaml", "data_train": "digits.yaml", "trainer": "plain.yaml"}

WriteGrid = Callable[..., Path]
ExpandGrid = Callable[..., Grid]


@pytest.fixture
def config_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config folder with one file of each kind."""
    monkeypatch.delenv("PCM_CONFIG_DIR", raising=False)
    folder = tmp_path / 'it\'s a "größe" folder'
    for section in ("models", "data", "trainer", "grids"):
        (folder / section).mkdir(parents=True)
    (folder / "models" / "small.yaml").write_text(MODEL)
    (folder / "models" / "large.yaml").write_text(MODEL.replace("width: 8", "width: 512"))
    (folder / "data" / "digits.yaml").write_text(DATA)
    (folder / "trainer" / "plain.yaml").write_text(TRAINER)
    return folder


@pytest.fixture
def write_grid(config_folder: Path) -> WriteGrid:
    """Writes a grid file: `write_grid(grid={...})`; returns its path."""

    def write(**entries: Any) -> Path:
        path = config_folder / "grids" / "grid.yaml"
        content = {"name": "sweep", "base": BASE, **entries}
        content = {key: value for key, value in content.items() if value is not None}
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        return path

    return write


@pytest.fixture
def expand_grid(write_grid: WriteGrid) -> ExpandGrid:
    """Writes a grid file and expands it."""
    return lambda **entries: expand(write_grid(**entries))
