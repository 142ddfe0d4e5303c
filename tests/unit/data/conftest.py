from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine has set must not decide which digits the tests see."""
    monkeypatch.delenv("PCM_DATA_DIR", raising=False)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder with a name that breaks careless code."""
    folder = tmp_path / 'my dätå it\'s "raw" $HOME'
    folder.mkdir()
    return folder
