"""Lightning's strategy for FSDP2, with checkpoints in pcm's hands."""

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
from torch.optim import Optimizer

from pcm.errors import PcmError
from pcm.run_dir.shards import StagedShards, count_states, shards_folder
from pcm.training.checkpoints.loading_plain import load_plain
from pcm.training.checkpoints.sharding import WEIGHTS, State, names_in, read_shards, write_shards
from pcm.training.checkpoints.shared_saving import save_together


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

    def save_checkpoint(
        self, checkpoint: State, filepath: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write this rank's shards, as all ranks do, and on rank 0 the rest."""
        state = {WEIGHTS: checkpoint.pop(WEIGHTS)}
        for index, each in enumerate(checkpoint.pop("optimizer_states", [])):
            state[_optimizer(index)] = each

        def write(folder: Path) -> StagedShards:
            return write_shards(state, folder, self._group)

        save_together(self, checkpoint, filepath, storage_options, write)

    def load_checkpoint(self, checkpoint_path: str | Path, *_: Any, **__: Any) -> State:
        """Load a checkpoint into the model and its optimizers, whatever number of ranks wrote it.

        Raises:
            PcmError: it has no shards, or others than this training needs.
        """
        path = Path(self.broadcast(checkpoint_path))
        folder = shards_folder(path)
        if not folder.exists() or count_states(folder):
            kind = "of DeepSpeed" if folder.exists() else "in one file"
            raise PcmError(
                f"checkpoint {path} is {kind}, and `strategy: fsdp2` starts from its shards alone",
                "start from a checkpoint that was written with `strategy: fsdp2`",
            )
        assert self.model is not None
        assert self.lightning_module is not None
        weights = {WEIGHTS: get_model_state_dict(self.model)}
        read_shards(weights, folder, self._group)
        strict = StateDictOptions(strict=self.lightning_module.strict_loading)
        set_model_state_dict(self.model, weights[WEIGHTS], options=strict)
        for index, optimizer in enumerate(self.optimizers):
            self._load_optimizer(optimizer, _optimizer(index), folder)
        return load_plain(path)

    def _load_optimizer(self, optimizer: Optimizer, part: str, folder: Path) -> None:
        assert self.model is not None
        state = get_optimizer_state_dict(self.model, optimizer)
        # torch has made a state for every parameter. One that had no gradient yet had none.
        saved = names_in(folder)
        made: State = state["state"]  # type: ignore[assignment]  # torch's type is that of all parts
        state["state"] = {name: made[name] for name in made if f"{part}.state.{name}" in saved}
        read_shards({part: state}, folder, self._group)
        partial = StateDictOptions(strict=False)
        set_optimizer_state_dict(self.model, optimizer, state, options=partial)


def _optimizer(index: int) -> str:
    return f"optimizer_{index}"
