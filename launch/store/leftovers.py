"""What killed writers have left behind: removed by whoever comes by a day later."""

import shutil
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from launch.store.layout import RunsRoot
from launch.store.records import names_in
from launch.store.started import parts
from pcm.run_dir import RunDir

OLD_S = 24 * 3600.0
"""Nobody writes one file, or copies one checkout, for so long."""


def remove_leftovers(root: RunsRoot, sweeps: Iterable[str]) -> None:
    """Remove what is left of unfinished launches, run directories and records of some sweeps.

    A launch that was killed while it was written may have a whole checkout in it.
    """
    for folder in (*parts(root.experiments_folder), *parts(root.cancelled_folder)):
        _clean(Path(folder))
    _clean(root.queues)
    for sweep in sweeps:
        _clean(root.sweeps / sweep)
        for launch in root.launches(sweep):
            _clean(launch.path)
            _clean(launch.jobs)
            for refusals in launch.jobs.glob("refused-*"):
                _clean(refusals)


def remove_leftovers_of_run(run_dir: RunDir) -> None:
    """Remove what attempts that were killed were about to write."""
    attempts = (attempt.path for attempt in run_dir.attempts())
    for folder in (run_dir.path, run_dir.checkpoints, run_dir.plots, run_dir.undrawn, *attempts):
        _clean(folder)


def _clean(folder: Path) -> None:
    for name in names_in(folder):
        if name.startswith(".") and name.endswith(".tmp"):
            # Somebody else may be faster, or it may be somebody else's.
            with suppress(OSError):
                _remove_if_old(folder / name)


def _remove_if_old(path: Path) -> None:
    facts = path.lstat()
    if time.time() - facts.st_mtime < OLD_S:
        return
    if stat.S_ISDIR(facts.st_mode):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink()
