"""What the tests open for other users is as it was afterwards."""

from pathlib import Path

import pytest

from tests import access


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that only its owner may enter."""
    monkeypatch.setattr(access, "LEDGER", tmp_path / "ledger.json")
    folder = tmp_path / "closed"
    (folder / "inside").mkdir(parents=True)
    folder.chmod(0o750)
    return folder


def test_folders_are_open_until_the_last_session_ends(closed: Path) -> None:
    with access.passable([closed / "inside"]):
        with access.passable([closed / "inside"]):
            assert mode(closed) == 0o751
        assert mode(closed) == 0o751
    assert mode(closed) == 0o750
    assert not access.LEDGER.exists()


def test_a_session_that_was_killed_does_not_keep_them_open(closed: Path) -> None:
    with access.passable([closed / "inside"]):
        text = access.LEDGER.read_text()
        access.LEDGER.write_text(text.replace("[", f"[{2**22 + 1}, "))
    assert mode(closed) == 0o750
