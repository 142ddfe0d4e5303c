"""The place in an epoch: found again at once by our own loaders, by replay for any other."""

from collections.abc import Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from lightning.pytorch import Trainer

from pcm import generators
from pcm.internals.loops import restart_iteration, train_loaders

State = dict[str, Any]


@runtime_checkable
class Positioned(Protocol):
    """A loader whose batches are a function of epoch and position."""

    def set_position(self, epoch: int, batch: int) -> None:
        """Make the next iteration start at that batch of that epoch."""


class Replayable:
    """A user's own loader, which records the generators' states where its passes begin.

    Nothing is drawn before the first batch of a pass is asked for. So a pass that starts
    from the recorded states goes through the same batches again.
    """

    def __init__(self, loader: Any) -> None:
        self._loader = loader
        self.passes: list[State] = []
        self._recorded: list[State] = []

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[Any]:
        self._begin_pass()
        yield from self._loader

    def __getattr__(self, name: str) -> Any:
        # Lightning looks for samplers. It mustn't find a loader's own way to resume, which
        # loses an epoch if it is saved at another's last batch.
        if name in ("_loader", "state_dict", "load_state_dict"):
            raise AttributeError(name)
        return getattr(self._loader, name)

    def begin_epoch(self) -> None:
        """Forget the passes of the epoch before."""
        self.passes = []

    def rewind(self, passes: list[State]) -> None:
        """Have the next passes start as the recorded ones did."""
        self.passes = []
        self._recorded = list(passes)

    def _begin_pass(self) -> None:
        if self._recorded:
            recorded = self._recorded.pop(0)
            generators.restore(recorded["shared"])
            self.own_states = recorded["own"]
        self.passes.append({"shared": generators.capture(), "own": self.own_states})

    @property
    def own_states(self) -> list[torch.Tensor]:
        """The states of the generators that the user gave to the loader."""
        return [generator.get_state() for generator in self._own_generators()]

    @own_states.setter
    def own_states(self, states: list[torch.Tensor]) -> None:
        for generator, state in zip(self._own_generators(), states, strict=True):
            generator.set_state(state)

    def _own_generators(self) -> list[torch.Generator]:
        batches = getattr(self._loader, "batch_sampler", None)
        holders = (self._loader, getattr(self._loader, "sampler", None), batches)
        inner = getattr(batches, "sampler", None)
        found = (getattr(holder, "generator", None) for holder in (*holders, inner))
        return list(
            {id(each): each for each in found if isinstance(each, torch.Generator)}.values()
        )


def make_replayable(loader: object) -> object:
    """The loader as training uses it."""
    return loader if isinstance(loader, Positioned) else Replayable(loader)


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
        {"passes": loader.passes, "own": loader.own_states}
        if isinstance(loader, Replayable)
        else {}
        for loader in train_loaders(trainer)
    ]


def restore_loaders(trainer: Trainer, states: list[State]) -> None:
    """Set the generators that users gave to loaders; `go_to` finds the place."""
    for loader, state in zip(train_loaders(trainer), states, strict=True):
        if isinstance(loader, Replayable):
            loader.own_states = state["own"]


def go_to(trainer: Trainer, epoch: int, batch: int, states: list[State]) -> None:
    """Continue the epoch's iteration at a batch.

    Draws from the generators where it replays; set them afterwards.
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
    restart_iteration(trainer, done=batch, skip=0 if can_jump else batch)
