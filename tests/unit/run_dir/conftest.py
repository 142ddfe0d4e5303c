"""A folder with everything in its name that shells and parsers trip over."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    hostile = tmp_path / 'it\'s a "naïve" $HOME; dir\\ -x'
    hostile.mkdir()
    return hostile
