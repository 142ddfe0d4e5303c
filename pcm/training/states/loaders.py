"""The place in an epoch: found again at once by our own loaders, by replay for any other."""

from typing import Any, Protocol, runtime_checkable

from lightning.pytorch import Trainer

from pcm.console import tell
from pcm.internals.loops import restart_iteration, train_loaders, validation_loaders
from pcm.training.states.replay import Replayable

State = dict[str, Any]


@runtime_checkable
class Positioned(Protocol):
    """A loader whose batches are a function of epoch and position."""

    def set_position(self, epoch: int, batch: int) -> None:
        """Make the next iteration start at that batch of that epoch."""


def make_replayable(loader: object, *, is_for_training: bool = False) -> object:
    """The loader as training uses it; one for training opens with its first epoch."""
    if isinstance(loader, Positioned):
        return loader
    if is_for_training and getattr(loader, "persistent_workers", False):
        tell("persistent_workers=True: each epoch starts its workers anew, to be resumed exactly")
    return Replayable(loader, is_open=not is_for_training, is_recorded=is_for_training)


def begin_epoch(trainer: Trainer, epoch: int) -> None:
    """Have the epoch's iteration start at its first batch."""
    for loader in train_loaders(trainer):
        if isinstance(loader, Positioned):
            loader.set_position(epoch, 0)
        elif isinstance(loader, Replayable):
            loader.begin_epoch()


def capture_loaders(trainer: Trainer) -> list[State]:
    """What each training loader needs to go on as it would have."""
    return [
        loader.capture() if isinstance(loader, Replayable) else {}
        for loader in train_loaders(trainer)
    ]


def capture_validation(trainer: Trainer) -> list[State]:
    """What a validation's loaders keep to themselves; empty before they are made."""
    return [
        loader.capture() if isinstance(loader, Replayable) else {}
        for loader in validation_loaders(trainer)
    ]


def restore_validation(trainer: Trainer, states: list[State]) -> None:
    """Set what `capture_validation` captured."""
    for loader, state in zip(validation_loaders(trainer), states, strict=False):
        if isinstance(loader, Replayable) and state:
            loader.restore(state)


def restore_loaders(trainer: Trainer, states: list[State]) -> None:
    """Set what loaders keep to themselves; `go_to` finds the place."""
    for loader, state in zip(train_loaders(trainer), states, strict=True):
        if isinstance(loader, Replayable):
            loader.restore(state)


def go_to(trainer: Trainer, epoch: int, batch: int, fetched: int, states: list[State]) -> None:
    """Continue the epoch's iteration at a batch.

    Draws from the generators where it replays; set them afterwards.

    Args:
        fetched: batches that were fetched; other than `batch` where steps fetch for themselves.
    """
    loaders = train_loaders(trainer)
    # Lightning draws from all loaders in turn and counts batches once for all of them. So they
    # jump together or not at all: where one must replay, the others fetch and drop as much.
    can_jump = all(isinstance(loader, Positioned) for loader in loaders)
    for loader, state in zip(loaders, states, strict=True):
        if isinstance(loader, Positioned):
            loader.set_position(epoch, batch if can_jump else 0)
        elif isinstance(loader, Replayable):
            loader.rewind(state["passes"])
    restart_iteration(trainer, done=fetched, skip=0 if can_jump else fetched)
