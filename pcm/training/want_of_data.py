"""Training that ends since its loader has nothing left, which Lightning takes for its end."""

from lightning.pytorch import Trainer

from pcm.errors import PcmError
from pcm.internals import loops


def require_batches(trainer: Trainer) -> None:
    """Refuse an epoch without any batch.

    Raises:
        PcmError: this one had none.
    """
    if loops.batches_done(trainer) == 0:
        raise _want_of_data(trainer, max(0, loops.epoch_of(trainer) - 1))


def require_data(trainer: Trainer) -> None:
    """Refuse to call training done that had nothing to go on with.

    Raises:
        PcmError: it ended before its last epoch, and nobody asked for that.
    """
    epochs, done = trainer.max_epochs, loops.epoch_of(trainer)
    is_short = epochs is not None and 0 <= done < epochs and not loops.is_at_last_step(trainer)
    if is_short and not trainer.should_stop and trainer.limit_train_batches != 0:
        raise _want_of_data(trainer, done)


def _want_of_data(trainer: Trainer, epoch: int) -> PcmError:
    step = loops.steps_done(trainer)
    return PcmError(
        f"training ended in epoch {epoch} of {trainer.max_epochs}, at step {step}: its loader has"
        " no batch left",
        "let train_dataloader() return a loader that can be iterated anew in every epoch, or set"
        " max_epochs (or max_steps) to what its data allow",
    )
