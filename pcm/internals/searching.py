"""Hooks into a Trainer for finders, which look from inside of a fit (written for 2.5 and 2.6)."""

from collections.abc import Callable
from typing import Any

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.loggers.logger import DummyLogger

_RATES = ("lr", "learning_rate")
"""Where Lightning looks for a learning rate, if it isn't told."""


def after_attaching(trainer: Trainer, function: Callable[[], None]) -> None:
    """Have it called when a module's own callbacks stand beside the Trainer's.

    That is before any hook, and before anything is on a GPU.
    """
    connector = trainer._callback_connector
    attach = connector._attach_model_callbacks

    def attach_first() -> None:
        attach()
        function()

    connector._attach_model_callbacks = attach_first  # type: ignore[method-assign]


def before_optimizers(trainer: Trainer, function: Callable[[], None]) -> None:
    """Have it called when everything is set up but optimizers and schedulers."""
    set_up = trainer.strategy.setup_optimizers

    def set_up_after(trainer: Trainer) -> None:
        function()
        set_up(trainer)

    trainer.strategy.setup_optimizers = set_up_after  # type: ignore[method-assign]


def only_search(trainer: Trainer) -> None:
    """Have nothing logged, and what the search would save on disk kept by each rank.

    It is loaded once, into a module that is thrown away: no copy is needed.
    """
    trainer.logger = DummyLogger()
    kept: list[Any] = []

    def save(checkpoint: Any, *_: Any, **__: Any) -> None:
        kept[:] = [checkpoint]

    def load(*_: Any, **__: Any) -> Any:
        # The callbacks whose states these are take no part; Lightning would warn of each.
        return {**kept[0], "callbacks": {}}

    def remove(filepath: object) -> None:  # noqa: ARG001 - nothing has that name
        kept.clear()

    strategy = trainer.strategy
    strategy.save_checkpoint = save  # type: ignore[method-assign]
    strategy.load_checkpoint = load  # type: ignore[method-assign]
    strategy.remove_checkpoint = remove  # type: ignore[method-assign]


def end_after_search(finder: Callback) -> None:
    """Have it end the fit once it has looked, as Lightning's Tuner does, and set nothing."""
    finder._early_exit = True  # type: ignore[attr-defined]
    if isinstance(finder, LearningRateFinder):
        finder._update_attr = False


def sets_nothing(finder: Callback) -> bool:
    """Whether it looks for a rate that no module is to have."""
    return isinstance(finder, LearningRateFinder) and not finder._update_attr


def wanted_names(finder: Callback) -> tuple[str, ...]:
    """Names of attributes that a finder may look for; the first that is there counts."""
    if isinstance(finder, BatchSizeFinder):
        return (finder._batch_arg_name,)
    assert isinstance(finder, LearningRateFinder)
    return (finder._attr_name,) if finder._attr_name else _RATES
