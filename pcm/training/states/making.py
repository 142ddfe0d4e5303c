"""The making of loaders, which may draw: a resume makes them again with the same draws."""

from collections.abc import Callable
from typing import Any

from lightning.pytorch import Trainer

from pcm import generators
from pcm.internals import loops
from pcm.training.states.loaders import capture_validation, make_replayable, restore_validation

State = dict[str, Any]


class Making:
    """Knows with which generators and in which epoch the present loaders were made.

    Lightning makes training's at the start, a validation's before the first one, and both anew
    with `reload_dataloaders_every_n_epochs`.
    """

    def __init__(self) -> None:
        self._training: State | None = None
        self._validation: State | None = None
        # What a checkpoint has of it, until training is at its place.
        self._start: State = {}

    def take_over(self, trainer: Trainer) -> None:
        """Have all loaders made by way of this."""
        loops.take_over_loaders(
            trainer,
            lambda: self._before_training(trainer),
            lambda make: self._make_validation(trainer, make),
            make_replayable,
        )

    def start_from(self, state: State) -> None:
        """Have the loaders made as they were made there."""
        self._start = state

    def capture(self, trainer: Trainer) -> State:
        """Of both."""
        validation = None
        if self._validation is not None:
            epoch = loops.epoch_of_validation_loaders(trainer)
            validation = {
                **self._validation,
                "epoch": epoch,
                "loaders": capture_validation(trainer),
            }
        return {"made": self._training, "validation": validation}

    def restore(self, trainer: Trainer) -> None:
        """Set what a validation's loaders keep to themselves; training is at its place."""
        start, self._start = self._start, {}
        if start.get("validation") is None:
            return
        if not loops.validation_loaders(trainer):
            # Now, since training's loaders may share a generator with them.
            self._start = {"validation": start["validation"]}
            loops.make_validation_loaders(trainer)
            self._start = {}
        restore_validation(trainer, start["validation"]["loaders"])

    def _before_training(self, trainer: Trainer) -> int | None:
        """Have draws repeated; the epoch in which the loaders were made, if not in this one."""
        if self._start.get("made") is not None:
            self._training = dict(self._start["made"])
            generators.restore(self._training["generators"])
            return int(self._training["epoch"])
        self._training = {"generators": generators.capture(), "epoch": loops.epoch_of(trainer)}
        return None

    def _make_validation(self, trainer: Trainer, make: Callable[[], None]) -> None:
        """Make a validation's loaders."""
        made = self._start.get("validation")
        if made is None:
            drawn = generators.capture()
            make()
            if loops.validation_loaders(trainer):
                self._validation = {"generators": drawn}
            return
        present = generators.capture()
        generators.restore(made["generators"])
        make()
        generators.restore(present)
        loops.set_epoch_of_validation_loaders(trainer, made["epoch"])
        self._validation = {"generators": made["generators"]}
