"""Lightning's StochasticWeightAveraging, which takes up its state where an epoch begins alone."""

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import StochasticWeightAveraging


def resume_averaging(trainer: Trainer) -> None:
    """Have it take up the state that it was given from a checkpoint, wherever training goes on.

    Its scheduler takes a first step thereby, which the optimizer has behind it.
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
