"""An optimizer and a scheduler that a model file gives to a module, as a LightningCLI does."""

from types import MethodType
from typing import Any

from lightning.pytorch import LightningModule
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from pcm.console import tell
from pcm.training.building.classes import Config, build_factory


def give_optimizer(module: LightningModule, cfg: Config) -> None:
    """Have a module train by the `optimizer` and `lr_scheduler` of its model file, if it has any.

    They are made when Lightning asks for them, so that what `setup()` or `configure_model()` adds
    is trained too: a LightningCLI makes them before that.

    Raises:
        ConfigError: they can't be had.
    """
    if cfg.get("optimizer") is None:
        return
    make_optimizer = build_factory(cfg["optimizer"], Optimizer, "model.optimizer")
    scheduler = cfg.get("lr_scheduler")
    make_scheduler = scheduler and build_factory(scheduler, LRScheduler, "model.lr_scheduler")

    def configure_optimizers(self: LightningModule) -> Any:
        optimizer = make_optimizer(self.parameters())
        return _together(optimizer, make_scheduler and make_scheduler(optimizer))

    if is_overridden("configure_optimizers", module):
        name = type(module).__name__
        tell(f"configure_optimizers of {name} is not called: the model file has an optimizer")
    # A bound method, so that a copy of the module trains its own parameters.
    module.configure_optimizers = MethodType(configure_optimizers, module)  # type: ignore[method-assign]


def _together(optimizer: Optimizer, scheduler: LRScheduler | None) -> Any:
    if scheduler is None:
        return optimizer
    if isinstance(scheduler, ReduceLROnPlateau):
        # That of torch has no metric to go by, and is refused.
        monitor = scheduler.monitor  # type: ignore[attr-defined]
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": scheduler, "monitor": monitor},
        }
    return [optimizer], [scheduler]
