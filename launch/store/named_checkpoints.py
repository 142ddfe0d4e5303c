"""Checkpoints of an experiment, and the one that a person names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.store.records import read_record
from launch.store.store import Experiment
from pcm.errors import NotFoundError
from pcm.run_dir import RunDir
from pcm.run_dir.checkpoint_names import own_checkpoint

BY_RANK = ("best", "last")
"""Names that stand for another checkpoint at another time."""


def read_manifests(run_dir: RunDir) -> list[dict[str, Any]]:
    """Manifests of the checkpoints, the newest last."""
    manifests = [(path, read_record(path)) for path in run_dir.checkpoints.glob("*.ckpt.json")]
    whole = [each for path, each in manifests if each.get("file") == own_checkpoint(path)]
    return sorted(whole, key=_age)


def checkpoint_file(experiment: Experiment, name: str | None) -> Path:
    """The checkpoint of a name, or the newest.

    Raises:
        NotFoundError: there is none; says which there are.
    """
    run_dir = experiment.run_dir
    files = [str(manifest["file"]) for manifest in read_manifests(run_dir)]
    wanted = None if name is None else _file_name(name)
    found = [file for file in files if wanted in (None, file)]
    if not found:
        raise NotFoundError(
            f"experiment {experiment.id} has no checkpoint{f' {name!r}' if name else ''}",
            f"there is {', '.join(files) or 'none at all'}",
        )
    return run_dir.checkpoints / found[-1]


def _age(manifest: Mapping[str, Any]) -> tuple[int, int]:
    # A later attempt's are newer whatever their step: it may have gone back on request.
    return manifest.get("attempt", 0), manifest.get("step", 0)


def _file_name(name: str) -> str:
    """The spelling `epoch=1-step-1876.ckpt` is understood as well."""
    return name.removesuffix(".ckpt").replace("-step-", "-step=") + ".ckpt"
