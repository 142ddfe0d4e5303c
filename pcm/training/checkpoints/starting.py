"""Which checkpoint an attempt starts from, if any."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed as dist

from pcm.errors import NotFoundError, PcmError
from pcm.run_dir import RunDir, read_json
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import find_checkpoint, find_fault, manifest_path, read_manifest
from pcm.training.agreement import of_first


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """Where training starts.

    Attributes:
        checkpoint: None for a start from nothing.
        step: training batches done there; None for the very first start.
        is_own: whether the checkpoint is this experiment's.
    """

    checkpoint: Path | None
    step: int | None
    is_own: bool = True


def find_start(run_dir: RunDir, experiment: dict[str, Any], name: str | None) -> StartingPoint:
    """The checkpoint asked for, else the newest that is whole, else another experiment's.

    Args:
        experiment: the content of `experiment.json`.
        name: as for `find_checkpoint`.

    Raises:
        NotFoundError, PcmError: the one that is asked for cannot be had.
    """
    own = find_checkpoint(run_dir.checkpoints, name, read_checkpointing(run_dir))
    if own is not None:
        return StartingPoint(own, step_of(own))
    other = experiment.get("starts_from")
    if other is not None:
        path = Path(other["checkpoint"])
        _check(path)
        return StartingPoint(path, step_of(path), is_own=False)
    # Rows of an attempt that died before its first checkpoint are computed again.
    return StartingPoint(None, 0 if run_dir.metrics.exists() else None)


def share_start(start: StartingPoint | None, group: dist.ProcessGroup | None) -> StartingPoint:
    """Rank 0's choice, on all ranks."""
    first = of_first(start, group)
    assert first is not None
    return first


def _check(checkpoint: Path) -> None:
    """Raise unless another experiment's checkpoint is there, and whole."""
    if not checkpoint.exists():
        raise NotFoundError(f"the checkpoint to start from is gone: {checkpoint}")
    manifest = read_manifest(manifest_path(checkpoint))
    fault = None if manifest is None else find_fault(checkpoint.parent, manifest)
    if fault is not None:
        raise PcmError(f"the checkpoint to start from, {checkpoint}, is not whole: {fault}")


def step_of(checkpoint: Path) -> int:
    """Training batches done in a checkpoint, by its manifest."""
    record = read_json(manifest_path(checkpoint)) or {}
    return int(record.get("step", 0))
