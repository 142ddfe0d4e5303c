"""Finders look once, before the first step; every attempt trains with what they found.

Lightning's look from inside of the very training that follows, and set their values after the
optimizers are made. Here they look in trainings that are thrown away, so that none leaves a trace,
and the module is built with what they found: the second attempt begins as the first did.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch.distributed as dist
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.utilities.parsing import lightning_hasattr, lightning_setattr

from pcm import generators
from pcm.console import tell
from pcm.errors import ConfigError, PcmError
from pcm.internals import searching
from pcm.rank.task import Task
from pcm.run_dir.found import FoundRecord
from pcm.run_dir.typed_json import Damaged, read, write
from pcm.training.agreement import of_first
from pcm.training.checkpoints.starting import StartingPoint
from pcm.training.faults import config_error

FINDERS = (LearningRateFinder, BatchSizeFinder)

_LOOKING = ("lr_find", "scale_batch_size")


class Finders:
    """Takes finders out of a Trainer, and has it train with what they found, now or earlier.

    Args:
        start: where this attempt starts.
        group: all ranks on CPUs; None for one.
        search: looks with these finders, each once.
    """

    def __init__(
        self,
        task: Task,
        start: StartingPoint,
        group: dist.ProcessGroup | None,
        search: Callable[[Sequence[Callback]], FoundRecord],
    ) -> None:
        self._task = task
        self._start = start
        self._group = group
        self._search = search
        self._found: FoundRecord | None = None

    def take_over(self, trainer: Trainer) -> None:
        """Hook into a Trainer that is to train."""
        searching.after_attaching(trainer, lambda: self._take_out(trainer))
        searching.before_optimizers(trainer, lambda: self._set(trainer))

    def _take_out(self, trainer: Trainer) -> None:
        finders, others = split(trainer)
        trainer.callbacks = others  # type: ignore[attr-defined]  # set at run time
        # A test after training attaches the module's callbacks once more.
        if not finders or self._found is not None:
            return
        _require_different(finders)
        for finder in finders:
            require_supported(finder, self._task.ranks.world_size)
        self._found = of_first(self._read(), self._group) or self._look(finders)

    def _set(self, trainer: Trainer) -> None:
        if self._found is not None:
            set_values(trainer.lightning_module, self._found)

    def _read(self) -> FoundRecord | None:
        """What an earlier attempt found; on rank 0."""
        if not self._task.ranks.is_first:
            return None
        record = read(FoundRecord, self._task.run_dir.found)
        if isinstance(record, Damaged):
            raise PcmError(str(record), "write the value into it that training began with")
        return record

    def _look(self, finders: Sequence[Callback]) -> FoundRecord:
        if self._start.checkpoint is not None:
            raise self._too_late(finders[0])
        state = generators.capture()
        found = self._search(finders)
        generators.restore(state)
        if self._task.ranks.is_first:
            write(self._task.run_dir.found, found)
            tell(
                f"found before training: {found}" if found.values else "found nothing to train with"
            )
        return found

    def _too_late(self, finder: Callback) -> PcmError:
        name = type(finder).__name__
        if self._start.is_own:
            return PcmError(
                f"{self._task.run_dir.found} is gone, and with it what {name} found at the start",
                'write it anew, e.g. {"attempt": 1, "learning_rate": {"lr": 0.01}}',
            )
        return config_error(
            "trainer.callbacks",
            f"{name} looks before training's first step, and this experiment starts from another"
            " one's checkpoint",
            "set the value in the config",
        )


def split(trainer: Trainer) -> tuple[list[Callback], list[Callback]]:
    """A Trainer's finders, and its other callbacks."""
    callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set at run time
    finders: list[Callback] = [each for each in callbacks if isinstance(each, FINDERS)]
    return finders, [each for each in callbacks if not isinstance(each, FINDERS)]


def set_values(model: LightningModule, found: FoundRecord) -> None:
    """Set what was found wherever a module and its data module have it.

    Raises:
        ConfigError: neither has it any more.
    """
    for name, value in found.values.items():
        if not lightning_hasattr(model, name):
            raise no_attribute(name)
        lightning_setattr(model, name, value)


def no_attribute(name: str) -> ConfigError:
    """Neither the module, its `hparams` nor its data module has it."""
    problem = f"a finder looks for `{name}`, which neither the module nor its data has"
    hint = f"self.{name} in the module, or save_hyperparameters() of an argument {name}"
    return config_error("trainer.callbacks", problem, hint)


def require_supported(finder: Callback, ranks: int) -> None:
    """Make sure that a finder looks once, before training.

    Raises:
        ConfigError: it does something else, or can't look here.
    """
    name, changed = type(finder).__name__, [*_changed_hooks(finder)]
    if changed:
        problem = (
            f"{name} looks in hooks of its own ({', '.join(changed)}), as no resume can repeat"
        )
        hint = "Lightning's own finder, which looks before the first step"
        raise config_error("trainer.callbacks", problem, hint)
    if isinstance(finder, BatchSizeFinder) and ranks > 1:
        problem = f"{name} looks on one rank alone, and there are {ranks}"
        raise config_error("trainer.callbacks", problem, "one GPU, or a batch size in the config")
    if searching.sets_nothing(finder):
        problem = f"{name} with `update_attr: false` looks for a rate that nobody is given"
        raise config_error("trainer.callbacks", problem, "update_attr: true, or no finder")


def _require_different(finders: Sequence[Callback]) -> None:
    """Raise ConfigError where two look for the same."""
    names = [type(each).__name__ for each in finders]
    if len({*names}) < len(names):
        raise config_error("trainer.callbacks", f"two finders of one kind: {', '.join(names)}")


def _changed_hooks(finder: Callback) -> list[str]:
    """Hooks that a class of the user's own has in place of Lightning's."""
    own: dict[str, Any] = {}
    for each in type(finder).__mro__:
        if each in FINDERS:
            break
        own |= vars(each)
    return [name for name in own if name in _LOOKING or name == "setup" or name.startswith("on_")]
