"""Checkpoints of an experiment, and the one that a person names."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from launch.damage import whole
from launch.store.store import Experiment
from pcm.errors import NotFoundError
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoints import Manifest, file_name, read_own_manifests
from pcm.run_dir.typed_json import read

BY_RANK = ("best", "last")
"""Names that stand for another checkpoint at another time."""


def manifest_records(run_dir: RunDir) -> list[dict[str, Any]]:
    """Manifests of the checkpoints as plain data, the newest last."""
    return [asdict(manifest) for manifest in _oldest_first(run_dir)]


def checkpoint_file(experiment: Experiment, name: str | None) -> Path:
    """The checkpoint of a name, or the newest.

    Raises:
        NotFoundError: there is none; says which there are.
    """
    run_dir = experiment.run_dir
    files = [manifest.file for manifest in _oldest_first(run_dir)]
    wanted = None if name is None else file_name(name)
    found = [file for file in files if wanted in (None, file)]
    if not found:
        raise NotFoundError(
            f"experiment {experiment.id} has no checkpoint{f' {name!r}' if name else ''}",
            f"there is {', '.join(files) or 'none at all'}",
        )
    return run_dir.checkpoints / found[-1]


def _oldest_first(run_dir: RunDir) -> list[Manifest]:
    for path in sorted(run_dir.checkpoints.glob("[!.]*.ckpt.json")):
        whole(read(Manifest, path))
    # Training warns of those that are none; here they are noticed.
    return read_own_manifests(run_dir.checkpoints, warn=lambda _: None)[::-1]
