"""The checkout whose code a launch ships."""

import os
from dataclasses import replace
from pathlib import Path

from launch.executor import Code, Executor
from launch.grid import Grid
from launch.site import Site
from launch.store.checkout import code_version
from launch.store.snapshot import checkout_root, untracked_python
from launch.telling import Tell
from launch.text import first_of
from pcm.errors import RefusedError, UsageError

_SHOWN = 5


def with_checkout(grid: Grid, executor: Executor, site: Site, root: Path, tell: Tell) -> Grid:
    """The grid with the checkout here, where its jobs shall run the code that is in it now.

    Args:
        root: the runs folder, where the copy will be.
        tell: called with which code it is, and what is missing from it.

    Raises:
        RefusedError: there is no checkout here, or Python can't import from the runs folder.
        UsageError: the executor runs the code of this process.
    """
    asked = {**site.container, **grid.container}
    if asked.get("code") != Code.SNAPSHOT:
        return grid
    if executor is Executor.DEBUG:
        raise UsageError(
            "--executor debug runs the code of this process, and no snapshot",
            "leave `--code snapshot` out, or choose another executor",
        )
    if asked.get("image") is None and os.pathsep in str(root):
        raise RefusedError(
            f"Python can't import a snapshot from a folder with {os.pathsep!r} in its name: {root}",
            hint="choose another folder with --runs-dir, or an image",
        )
    checkout = checkout_root(Path.cwd())
    _tell_of(checkout, root, tell)
    return replace(grid, checkout=checkout)


def _tell_of(checkout: Path, root: Path, tell: Tell) -> None:
    """Which code it is, and what may be missing from it."""
    version = code_version(checkout)
    assert version is not None
    edited = " with uncommitted edits" if version.dirty else ""
    tell(f"code of {checkout}, commit {version.commit[:12]}{edited}")
    if not (checkout / "pcm" / "__init__.py").exists():
        tell("note: no pcm in it, so that of the image, or the installed one, runs")
    if untracked := untracked_python(checkout, root):
        tell(f"note: not tracked by git, so left out: {first_of(untracked, _SHOWN)}")
