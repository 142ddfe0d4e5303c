"""Lightning's averages of weights, where a resume finds them otherwise than they were."""

from collections.abc import Mapping
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import StochasticWeightAveraging

from pcm.internals.module_tensors import fit_buffers

_CURRENT = "current_model_state"
"""The key in a checkpoint of what was trained, where `state_dict` is WeightAveraging's average."""


def fit_to_current(model: LightningModule, checkpoint: Mapping[str, Any]) -> None:
    """Make room for buffers that the average lacks, before WeightAveraging loads the others."""
    fit_buffers(model, checkpoint.get(_CURRENT, {}))


def resume_averaging(trainer: Trainer) -> None:
    """Have StochasticWeightAveraging take up the state that a checkpoint has, wherever it goes on.

    By itself it does so where an epoch begins alone. Its scheduler takes a first step thereby,
    which the optimizer has behind it.
    """
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if not isinstance(callback, StochasticWeightAveraging):
            continue
        if callback._scheduler_state is None or callback._initialized:
            continue
        groups = trainer.optimizers[0].param_groups
        before = [{k: v for k, v in group.items() if k != "params"} for group in groups]
        callback.on_train_epoch_start(trainer, trainer.lightning_module)
        for group, values in zip(groups, before, strict=True):
            group.update(values)
