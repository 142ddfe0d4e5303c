"""Checkpoints that a person names on the command line."""

from pathlib import Path
from typing import TYPE_CHECKING

from pcm.errors import NotFoundError

if TYPE_CHECKING:
    from launch.store import Experiment

BY_RANK = ("best", "last")
"""Names that stand for another checkpoint at another time."""


def checkpoint_file(experiment: "Experiment", name: str | None) -> Path:
    """The checkpoint of a name, or the newest.

    Raises:
        NotFoundError: there is none; says which there are.
    """
    from launch.report.experiment import checkpoints
    from pcm.run_dir.checkpoints import file_name

    run_dir = experiment.run_dir
    files = [str(manifest["file"]) for manifest in checkpoints(run_dir)]
    wanted = None if name is None else file_name(name)
    found = [file for file in files if wanted in (None, file)]
    if not found:
        raise NotFoundError(
            f"experiment {experiment.id} has no checkpoint{f' {name!r}' if name else ''}",
            f"there is {', '.join(files) or 'none at all'}",
        )
    return run_dir.checkpoints / found[-1]
