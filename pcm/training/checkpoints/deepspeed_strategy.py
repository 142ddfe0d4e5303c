"""Lightning's strategy for DeepSpeed, with checkpoints in pcm's hands."""

import glob
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from lightning.fabric.utilities.seed import reset_seed
from lightning.pytorch import Trainer
from lightning.pytorch.strategies import DeepSpeedStrategy
from lightning.pytorch.trainer.states import TrainerFn
from torch.optim import Optimizer

from pcm.errors import PcmError
from pcm.internals.deepspeed import join_ranks, leave_out_scripts
from pcm.run_dir.shards import StagedShards, count_states, shards_folder
from pcm.training.checkpoints.deepspeed_states import NO_TAG, State, States, write_states
from pcm.training.checkpoints.loading_plain import load_plain
from pcm.training.checkpoints.shared_saving import save_together

_STAGE = "deepspeed_stage"
"""In a checkpoint: how DeepSpeed shared out what its states have."""


class OwnDeepSpeedStrategy(DeepSpeedStrategy):
    """Shares optimizers, gradients and weights out by DeepSpeed; each rank has files of its own.

    Args:
        group: all ranks, on CPUs; None for one.
        places: the devices of the node's ranks; None where Lightning may choose them.
        options: Lightning's.
    """

    def __init__(
        self, group: dist.ProcessGroup | None, places: list[torch.device] | None, **options: Any
    ) -> None:
        # Lightning would otherwise make the loaders once more, to ask for the size of a batch,
        # which DeepSpeed has for nothing but its own figures of speed.
        super().__init__(parallel_devices=places, logging_batch_size_per_gpu=1, **options)
        self._group = group
        self._states = States()
        self._is_proven = False

    def setup_environment(self) -> None:
        """As any strategy does: Lightning asks for a GPU, and DeepSpeed runs on CPUs as well."""
        super(DeepSpeedStrategy, self).setup_environment()

    def setup_distributed(self) -> None:
        """Join the ranks; with Lightning they could not each know its own GPU by one number."""
        reset_seed()
        self.set_world_ranks()
        join_ranks(self)

    def setup(self, trainer: Trainer) -> None:
        """Make the engine, and be what it saves to and loads from."""
        super().setup(trainer)
        self.deepspeed_engine.checkpoint_engine = self._states
        leave_out_scripts(self.deepspeed_engine)

    def lightning_module_state_dict(self) -> State:
        """Nothing for the one file: the weights are among the engine's states."""
        return {}

    def optimizer_state(self, optimizer: Optimizer) -> State:  # noqa: ARG002
        """Nothing for the one file, as with the weights."""
        return {}

    def save_checkpoint(
        self, checkpoint: State, filepath: str | Path, storage_options: Any | None = None
    ) -> None:
        """Write this rank's states, as all ranks do, and on rank 0 the rest."""
        rest = {**checkpoint, _STAGE: self._stage}
        for name in ("state_dict", "optimizer_states"):
            rest.pop(name, None)
        self.deepspeed_engine.save_checkpoint("states", NO_TAG, save_latest=False)

        def write(folder: Path) -> StagedShards:
            prove, self._is_proven = not self._is_proven, True
            return write_states(self._states.saved, folder, self._group, prove=prove)

        save_together(self, rest, filepath, storage_options, write)
        self._states.saved = {}

    def load_checkpoint(self, checkpoint_path: str | Path, *_: Any, **__: Any) -> State:
        """Load a checkpoint of as many ranks into the engine.

        Raises:
            PcmError: it has no states of DeepSpeed's, or others than this training needs.
        """
        path = Path(self.broadcast(checkpoint_path))
        rest = load_plain(path)
        self._check(path, rest)
        assert self.lightning_module is not None
        self._states.folder = shards_folder(path)
        is_fitting = self.lightning_module.trainer.state.fn == TrainerFn.FITTING
        self.deepspeed_engine.load_checkpoint(
            # It searches by a pattern, which a folder's name may look like.
            glob.escape(str(self._states.folder)),
            NO_TAG,
            load_optimizer_states=is_fitting,
            load_lr_scheduler_states=False,
            load_module_strict=self.lightning_module.strict_loading,
        )
        return rest

    @property
    def _stage(self) -> int:
        assert isinstance(self.config, dict)
        stage: int = self.config["zero_optimization"]["stage"]
        return stage

    def _check(self, path: Path, rest: State) -> None:
        """Raise PcmError unless these ranks can go on from a checkpoint."""
        ranks = count_states(shards_folder(path))
        if ranks == 0:
            raise PcmError(
                f"checkpoint {path} was not written by DeepSpeed, which starts from its own alone",
                "start from one that was, or train with the strategy of this one",
            )
        if ranks != self.world_size:
            raise PcmError(
                f"checkpoint {path} was written by {ranks} ranks, and these are {self.world_size}:"
                " DeepSpeed can't share its states out anew",
                "resume with as many ranks; `strategy: fsdp2` goes on with any number",
            )
        if rest[_STAGE] != self._stage:
            raise PcmError(
                f"checkpoint {path} is of DeepSpeed's stage {rest[_STAGE]}, and this is stage"
                f" {self._stage}",
                "keep the stage",
            )
