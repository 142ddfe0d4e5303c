"""Lightning's strategy for FSDP2, with checkpoints in pcm's hands."""

import uuid
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from pcm.errors import PcmError
from pcm.run_dir.shards import StagedShards, shards_folder
from pcm.training.checkpoint_io import LAST_CHANCES, CheckpointFiles, Sharded, load_plain
from pcm.training.insisting import insist
from pcm.training.sharding import WEIGHTS, State, read_shards, write_shards


class ShardedStrategy(ModelParallelStrategy):
    """Shards weights and optimizers over all ranks; each writes and reads its own.

    Args:
        group: all ranks, on CPUs; None for one.
        ranks: how many there are.
        places: the devices of the node's ranks; None where Lightning may choose them.
    """

    def __init__(
        self,
        group: dist.ProcessGroup | None,
        ranks: int,
        places: list[torch.device] | None = None,
    ) -> None:
        super().__init__(data_parallel_size=ranks, tensor_parallel_size=1)
        self.parallel_devices = places
        self._group = group

    @property
    def files(self) -> CheckpointFiles:
        """Where checkpoints are written."""
        assert isinstance(self.checkpoint_io, CheckpointFiles)
        return self.checkpoint_io

    def save_checkpoint(
        self, checkpoint: State, filepath: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write the shards, then the rest on rank 0, which commits them all; called by all ranks.

        Whichever rank can't write, none of them counts, and all learn of it.
        """
        facts, target = storage_options, Path(self.broadcast(filepath))
        state = {WEIGHTS: checkpoint.pop(WEIGHTS)}
        for index, each in enumerate(checkpoint.pop("optimizer_states", [])):
            state[_optimizer(index)] = each
        try:
            shards = self._write(state, target, is_last=(facts or {}).get("reason") in LAST_CHANCES)
        except OSError as error:
            if self.is_global_zero:
                self.files.note_failure(target, error, facts)
            return
        if self.is_global_zero:
            self.files.save_with_shards(Sharded(checkpoint, shards), target, facts)

    def _write(self, state: State, target: Path, *, is_last: bool) -> StagedShards:
        written: list[StagedShards] = []

        def write() -> None:
            name = self.broadcast(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
            folder = target.with_name(name)
            try:
                written.append(write_shards(state, folder, self._group))
            except OSError:
                if self.is_global_zero:
                    StagedShards(folder, {}).discard()
                raise

        def prepare(error: OSError) -> None:
            if self.is_global_zero:
                self.files.prepare_retry(target, error)

        if is_last:
            insist(write, prepare)
        else:
            write()
        return written[-1]

    def load_checkpoint(self, checkpoint_path: str | Path, *_: Any, **__: Any) -> State:
        """Load a checkpoint into the model and its optimizers, whatever number of ranks wrote it.

        Raises:
            PcmError: it has no shards, or others than this training needs.
        """
        path = Path(self.broadcast(checkpoint_path))
        folder = shards_folder(path)
        if not folder.exists():
            raise PcmError(
                f"checkpoint {path} is in one file, and `strategy: fsdp2` starts from shards alone",
                "start from a checkpoint that was written with `strategy: fsdp2`",
            )
        assert self.model is not None
        assert self.lightning_module is not None
        weights = {WEIGHTS: get_model_state_dict(self.model)}
        read_shards(weights, folder, self._group)
        strict = StateDictOptions(strict=self.lightning_module.strict_loading)
        set_model_state_dict(self.model, weights[WEIGHTS], options=strict)
        for index, optimizer in enumerate(self.optimizers):
            # One that has never stepped has nothing to fill: torch makes it step once for that.
            state = {_optimizer(index): get_optimizer_state_dict(self.model, optimizer)}
            read_shards(state, folder, self._group)
            set_optimizer_state_dict(self.model, optimizer, state[_optimizer(index)])
        return load_plain(path)


def _optimizer(index: int) -> str:
    return f"optimizer_{index}"
