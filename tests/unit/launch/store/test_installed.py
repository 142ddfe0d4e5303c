from pathlib import Path

import pytest

from launch.store.installed import code_digest


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "a package"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text("a = 1\n")
    (folder / "inner" / "b.py").write_text("b = 1\n")
    return folder


def test_it_stays_the_same_without_an_edit(package: Path) -> None:
    before = code_digest([package])
    (package / "inner" / "__pycache__").mkdir()
    (package / "inner" / "__pycache__" / "b.pyc").write_bytes(b"\0")
    (package / "notes.txt").write_text("not code")
    assert code_digest([package]) == before
    assert code_digest() == code_digest()


def test_every_edit_of_code_changes_it(package: Path) -> None:
    digests = [code_digest([package])]
    (package / "inner" / "b.py").write_text("b = 2\n")
    digests.append(code_digest([package]))
    (package / "inner" / "b.py").rename(package / "inner" / "c.py")
    digests.append(code_digest([package]))
    (package / "inner" / "d.py").write_text("")
    digests.append(code_digest([package]))
    assert len(set(digests)) == 4


def test_what_is_between_two_files_matters(package: Path) -> None:
    before = code_digest([package])
    (package / "__init__.py").write_text("a = 1\nb = 1\n")
    (package / "inner" / "b.py").write_text("")
    assert code_digest([package]) != before
