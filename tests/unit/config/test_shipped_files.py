"""Every config file that comes with pcm is right."""

from pathlib import Path

import pytest

from pcm.config.document import load_document
from tests.unit.config.samples import file_faults

CONFIG = Path(__file__).parents[3] / "config"
KINDS = {"models": "model", "data": "data", "trainer": "trainer", "grids": "grid", "sites": "site"}
FILES = sorted(CONFIG.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(CONFIG)) for path in FILES])
def test_a_shipped_file(path: Path) -> None:
    assert file_faults(KINDS[path.parent.name], load_document(path)) == []


@pytest.mark.parametrize("folder", KINDS)
def test_every_folder_has_files(folder: str) -> None:
    assert [path for path in FILES if path.parent.name == folder]
