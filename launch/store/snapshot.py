"""The launching checkout, copied beside a frozen launch: later edits don't reach its jobs."""

import os
import shutil
from functools import partial
from pathlib import Path

from launch.store.checkout import git
from pcm.errors import RefusedError
from pcm.run_dir.trust import make_folder, trusts_others

_COPIERS = 8
"""Threads: on a slow file system each file is mostly waited for."""


def checkout_root(folder: Path) -> Path:
    """The top folder of the checkout that `folder` is in.

    Raises:
        RefusedError: there is none, or nothing is committed in it, or there is no git.
    """
    root = git(folder, "rev-parse", "--show-toplevel")
    if root is None or git(folder, "rev-parse", "--verify", "HEAD") is None:
        raise RefusedError(
            f"a snapshot needs a git checkout with a commit, and {folder} is in none",
            hint="launch from the checkout whose code is meant, or leave out `--code snapshot`",
        )
    return Path(os.fsdecode(root.removesuffix(b"\n")))


def untracked_python(root: Path, runs: Path) -> list[str]:
    """Python files that git neither tracks nor ignores, and so are in no snapshot.

    Args:
        runs: the runs folder, whose snapshots are nobody's own files.
    """
    files = ["*.py"]
    if runs.resolve().is_relative_to(root):
        files.append(f":(exclude,literal){runs.resolve().relative_to(root)}")
    listing = git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *files)
    return _names(listing or b"")


def copy_checkout(root: Path, target: Path) -> None:
    """Copy what git tracks as it is now: with uncommitted edits, without what was deleted.

    Nothing else is copied, so no secret that git has never seen. Links stay links.

    Raises:
        RefusedError: git can't list its files, or one of them can't be read.
        OSError: the copy can't be written.
    """
    listing = git(root, "ls-files", "-z", "--cached", "--recurse-submodules")
    if listing is None:
        raise RefusedError(f"git can't list the files of {root}", hint="try `git ls-files` there")
    names = dict.fromkeys(_names(listing))
    make_folder(target)
    # Hardly any command copies files, and this one loads many modules.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_COPIERS) as pool:
        for _ in pool.map(lambda name: _copy(root / name, target / name), names):
            pass


def _names(listing: bytes) -> list[str]:
    return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def _copy(source: Path, target: Path) -> None:
    """Copy a file or link durably; what was deleted, or is no file any more, is left out."""
    if not source.is_symlink() and not source.is_file():
        return
    if not source.is_symlink() and not os.access(source, os.R_OK):
        raise RefusedError(f"can't take a snapshot: {source} can't be read")
    make_folder(target.parent, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    mode = source.stat().st_mode & (0o777 if trusts_others() else 0o755)
    # With its mode from the beginning: what others had open before, they could go on writing.
    opener = partial(os.open, mode=mode)
    with source.open("rb") as reading, open(target, "xb", opener=opener) as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
