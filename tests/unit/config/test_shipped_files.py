"""Every config file that comes with pcm is right."""

from pathlib import Path

import pytest

from pcm.config.check import file_faults, kind_of
from pcm.config.document import load_document

CONFIG = Path(__file__).parents[3] / "config"
KINDS = {"models": "model", "data": "data", "trainer": "trainer", "grids": "grid", "sites": "site"}
FILES = sorted(CONFIG.rglob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(CONFIG)) for path in FILES])
def test_a_shipped_file(path: Path) -> None:
    document = load_document(path)
    kind = KINDS[path.parent.name]
    assert kind_of(document.data) == kind
    assert file_faults(kind, document) == []


@pytest.mark.parametrize("folder", KINDS)
def test_every_folder_has_files(folder: str) -> None:
    assert [path for path in FILES if path.parent.name == folder]
