"""The folder that images are unpacked in."""

from pathlib import Path

import pytest

from launch.image.scratch import scratch


def fill(folder: Path) -> None:
    (folder / "rootfs é").mkdir()
    (folder / "rootfs é" / "a file").write_text("large")


def be_interrupted() -> None:
    with scratch() as folder:
        fill(folder)
        raise KeyboardInterrupt


def test_it_is_where_apptainer_would_have_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPTAINER_TMPDIR", str(tmp_path))
    with scratch() as folder:
        assert folder.parent == tmp_path
        fill(folder)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_an_interrupted_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPTAINER_TMPDIR", str(tmp_path))
    with pytest.raises(KeyboardInterrupt):
        be_interrupted()
    assert list(tmp_path.iterdir()) == []
