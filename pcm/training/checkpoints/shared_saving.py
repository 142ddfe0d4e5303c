"""Saving a checkpoint of which every rank writes a part: all of it counts, or none."""

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch.distributed as dist
from lightning.pytorch.strategies import Strategy

from pcm.rank.insisting import insist
from pcm.run_dir.shards import StagedShards
from pcm.training.checkpoints.checkpoint_io import LAST_CHANCES, CheckpointFiles, Sharded


def files_of(strategy: Strategy) -> CheckpointFiles:
    """Where a strategy's checkpoints are written."""
    assert isinstance(strategy.checkpoint_io, CheckpointFiles)
    return strategy.checkpoint_io


def save_together(
    strategy: Strategy,
    rest: dict[str, Any],
    filepath: str | Path,
    facts: dict[str, Any] | None,
    write: Callable[[Path], StagedShards],
) -> None:
    """Write the shards, then the rest on rank 0, which commits them all; called by all ranks.

    Whichever rank can't write, none of them counts, and all learn of it.

    Args:
        write: writes this rank's shards into a new folder; raises OSError on all ranks alike.
    """
    target = Path(strategy.broadcast(filepath))
    is_last = facts is not None and facts["reason"] in LAST_CHANCES
    try:
        shards = _write(strategy, target, write, is_last=is_last)
    except OSError as error:
        if strategy.is_global_zero:
            files_of(strategy).note_failure(target, error, facts)
        return
    if strategy.is_global_zero:
        files_of(strategy).save_with_shards(Sharded(rest, shards), target, facts)


def agree(
    fault: Exception | None, group: dist.ProcessGroup | None, mine: Mapping[str, str] | None = None
) -> list[Mapping[str, str]]:
    """What each rank has; raises on all if one has a fault."""
    everybody: list[Any] = [(fault, mine or {})]
    if group is not None:
        everybody = [None] * dist.get_world_size(group)
        dist.all_gather_object(everybody, (fault, mine or {}), group=group)
    for rank, (error, _) in enumerate(everybody):
        if isinstance(error, OSError):
            raise OSError(error.errno, f"rank {rank}: {error.strerror or error}")
        if error is not None:
            raise error
    return [each for _, each in everybody]


def merged(digests: list[Mapping[str, str]]) -> dict[str, str]:
    """Those of all ranks."""
    return {name: each for mine in digests for name, each in mine.items()}


def _write(
    strategy: Strategy, target: Path, write: Callable[[Path], StagedShards], *, is_last: bool
) -> StagedShards:
    written: list[StagedShards] = []

    def write_anew() -> None:
        name = strategy.broadcast(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
        folder = target.with_name(name)
        try:
            written.append(write(folder))
        except OSError:
            if strategy.is_global_zero:
                StagedShards(folder, {}).discard()
            raise

    def prepare(error: OSError) -> None:
        if strategy.is_global_zero:
            files_of(strategy).prepare_retry(target, error)

    if is_last:
        insist(write_anew, prepare)
    else:
        write_anew()
    return written[-1]
