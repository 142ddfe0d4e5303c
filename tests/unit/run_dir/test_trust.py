"""What others could have changed is refused; what is made can't be changed by others."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pcm.errors import ExitCode, RefusedError
from pcm.run_dir import atomic_writer, create_json, trust, write_json
from pcm.run_dir.trust import (
    make_folder,
    make_shared_folder,
    require_trusted,
    require_trusted_tree,
)

OTHERS = 0o022
"""Permission bits with which others may write."""

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="files can't be given away")


@pytest.fixture(autouse=True)
def _umask_of_a_group(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(trust.VARIABLE, raising=False)
    former = os.umask(0o002)
    yield
    os.umask(former)


@pytest.fixture
def file(folder: Path) -> Path:
    """A file two folders below a shared one."""
    path = folder / "launch" / "code" / "own.py"
    make_folder(path.parent)
    write_json(path, {})
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_the_owners_alone(file: Path, folder: Path) -> None:
    create_json(folder / "created.json", {})
    for path in (file, file.parent, file.parents[1], folder / "created.json"):
        assert mode(path) & OTHERS == 0
        assert mode(path) & 0o044 == 0o044
    require_trusted(file, folder)
    require_trusted_tree(folder / "launch")


def test_a_private_file_is_nobody_elses_to_read(folder: Path) -> None:
    with atomic_writer(folder / "log", private=True):
        pass
    assert mode(folder / "log") == 0o600


def test_folders_that_are_there_stay_as_they_are(folder: Path) -> None:
    make_folder(folder / "a" / "b")
    make_folder(folder / "a" / "b", exist_ok=True)
    with pytest.raises(FileExistsError):
        make_folder(folder / "a" / "b")
    (folder / "c").write_text("")
    with pytest.raises(FileExistsError):
        make_folder(folder / "c", exist_ok=True)


def test_in_a_shared_folder_nobody_can_move_what_others_have(folder: Path) -> None:
    make_shared_folder(folder / "sweeps")
    assert mode(folder / "sweeps") == 0o1775
    (folder / "sweeps").chmod(0o775)
    make_shared_folder(folder / "sweeps")
    assert mode(folder / "sweeps") == 0o775


def test_a_folder_that_is_nobody_elses_is_an_ordinary_one(folder: Path) -> None:
    os.umask(0o022)
    make_shared_folder(folder / "sweeps")
    assert mode(folder / "sweeps") == 0o755


@pytest.mark.parametrize("above", [0, 1, 2])
def test_what_others_may_write_is_refused_wherever_above(
    file: Path, folder: Path, above: int
) -> None:
    open_to_all = (file, *file.parents)[above]
    open_to_all.chmod(mode(open_to_all) | 0o002)
    with pytest.raises(RefusedError, match="could have been changed by others") as refused:
        require_trusted(file, folder)
    assert str(open_to_all) in refused.value.message
    assert "chmod -R go-w" in str(refused.value)
    assert trust.VARIABLE in str(refused.value)
    assert refused.value.exit_code == ExitCode.REFUSED


def test_the_shared_folder_itself_may_be_open(file: Path, folder: Path) -> None:
    folder.chmod(0o777)
    require_trusted(file, folder)


def test_a_file_anywhere_inside_is_found(file: Path, folder: Path) -> None:
    file.chmod(0o646)
    with pytest.raises(RefusedError, match=r"own\.py could have been changed"):
        require_trusted_tree(folder / "launch")


def test_a_link_in_a_checkout_may_lead_to_shared_data(file: Path, folder: Path) -> None:
    (folder / "data").mkdir(mode=0o777)
    (file.parent / "data").symlink_to(folder / "data")
    (file.parent / "gone").symlink_to(folder / "nothing")
    require_trusted_tree(folder / "launch")


def test_a_link_in_the_way_is_followed(file: Path, folder: Path) -> None:
    file.parents[1].rename(folder / "elsewhere")
    (folder / "elsewhere").chmod(0o777)
    (folder / "launch").symlink_to(folder / "elsewhere")
    with pytest.raises(RefusedError, match="could have been changed"):
        require_trusted(file, folder)


def test_whoever_trusts_others_may(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.chmod(0o666)
    monkeypatch.setenv(trust.VARIABLE, "1")
    require_trusted(file, folder)
    require_trusted_tree(folder / "launch")
    write_json(file, {})
    make_folder(folder / "ours")
    make_shared_folder(folder / "all of us")
    assert (mode(file), mode(folder / "ours"), mode(folder / "all of us")) == (0o664, 0o775, 0o775)


def test_what_is_missing_is_somebody_elses_to_tell(folder: Path) -> None:
    require_trusted(folder / "launch" / "nothing", folder)


@needs_root
@pytest.mark.parametrize("above", [0, 1, 2])
def test_what_belongs_to_another_is_refused(file: Path, folder: Path, above: int) -> None:
    theirs = (file, *file.parents)[above]
    os.chown(theirs, 65534, 0)
    with pytest.raises(RefusedError, match=f"belongs to {pwd.getpwuid(65534).pw_name}"):
        require_trusted(file, folder)


@needs_root
def test_somebody_elses_link_is_refused(file: Path, folder: Path) -> None:
    link = file.with_name("link.py")
    link.symlink_to(file)
    os.chown(link, 65534, 0, follow_symlinks=False)
    with pytest.raises(RefusedError, match="belongs to"):
        require_trusted(link, folder)
    with pytest.raises(RefusedError, match="belongs to"):
        require_trusted_tree(file.parent)


@needs_root
def test_a_group_of_ones_own_is_nobody_else(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(file, 0, 0)
    file.chmod(0o664)
    require_trusted(file, folder)
    crowded = grp.struct_group(("root", "x", 0, ["root", "eve"]))
    monkeypatch.setattr(grp, "getgrgid", lambda _: crowded)
    with pytest.raises(RefusedError, match="could have been changed"):
        require_trusted(file, folder)


@needs_root
def test_any_other_group_has_others_in_it(file: Path, folder: Path) -> None:
    os.chown(file, 0, 65534)
    file.chmod(0o664)
    with pytest.raises(RefusedError, match=r"could have been changed by others \(mode 0664\)"):
        require_trusted(file, folder)


@needs_root
def test_an_acl_may_name_anybody(file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(file, 0, 0)
    file.chmod(0o664)
    # Not every file system of a test has ACLs.
    monkeypatch.setattr(os, "getxattr", lambda *_: b"an ACL")
    with pytest.raises(RefusedError, match="could have been changed"):
        require_trusted(file, folder)
