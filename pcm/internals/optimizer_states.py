"""Where Lightning gives optimizers the states that a checkpoint has of them."""

from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch import Trainer


def before_optimizer_states(trainer: Trainer, function: Callable[[], None]) -> None:
    """Have it called when optimizers are there, and every `on_fit_start` is done."""
    strategy = trainer.strategy
    load = strategy.load_optimizer_state_dict

    def load_after(checkpoint: Mapping[str, Any]) -> None:
        function()
        load(checkpoint)

    strategy.load_optimizer_state_dict = load_after  # type: ignore[method-assign]
