"""Whether the Python that is to train could: asked before anything is launched."""

import sys
from pathlib import Path

import pytest

from launch.classes import untrainable
from launch.site import Site
from tests.unit.launch.conftest import ExpandGrid

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another Python, without what is installed in this one."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("PCM_PYTHON", f"'{python}'")
    return python


def test_another_python_without_pcm(
    bare: Path, expand_grid: ExpandGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = f"{bare}, which is to train, has no "
    assert untrainable(expand_grid(), Site()) == f"{problem}pcm and no torch and no lightning"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert untrainable(expand_grid(), Site()) == f"{problem}torch and no lightning"


def test_a_script_needs_pcm_alone(
    bare: Path, expand_grid: ExpandGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = expand_grid(base=None, run={"command": ["python", "train.py"]})
    assert untrainable(script, Site()) == f"{bare}, which is to train, has no pcm"
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert untrainable(script, Site()) is None
