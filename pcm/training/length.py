"""How long training is, for whoever watches."""

import math

from lightning.pytorch import Trainer

from pcm.internals import loops
from pcm.rank.progress import Progress


def describe_length(trainer: Trainer, progress: Progress, *, is_inside: bool) -> None:
    """Tell the progress how far it is to the end.

    Args:
        is_inside: whether training goes on from inside an epoch.
    """
    epochs = trainer.max_epochs
    progress.epoch = loops.epoch_of(trainer)
    progress.phase = "training"
    if epochs is None or epochs < 0:
        return
    progress.max_epochs = epochs
    within = loops.batches_done(trainer) if is_inside else 0
    left = (epochs - progress.epoch) * trainer.num_training_batches
    if math.isfinite(left):
        progress.total_steps = loops.steps_done(trainer) + int(left) - within
