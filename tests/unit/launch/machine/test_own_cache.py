"""The folder that one user's processes share on a machine."""

import os
from pathlib import Path

from launch.machine.own_cache import own_cache_folder


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / f"pcm-{os.getuid()}"
    assert own_cache_folder(tmp_path) == str(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert own_cache_folder(tmp_path) == str(folder)


def test_one_that_others_may_write_in_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / f"pcm-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert own_cache_folder(tmp_path) is None


def test_a_link_or_a_file_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / f"pcm-{os.getuid()}"
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert own_cache_folder(tmp_path) is None
    folder.unlink()
    folder.touch()
    assert own_cache_folder(tmp_path) is None


def test_where_nothing_can_be_made_there_is_none(tmp_path: Path) -> None:
    assert own_cache_folder(tmp_path / "missing") is None
