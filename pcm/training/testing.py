"""`after_fit: test`: a module's own test, once training is at its end."""

from typing import Any

from lightning.pytorch import LightningDataModule, LightningModule, Trainer

from pcm.training.faults import config_error

Config = dict[str, Any]


def wants_test(config: Config) -> bool:
    """Whether the trainer file asks for a test."""
    return (config.get("trainer") or {}).get("after_fit") == "test"


def require_test(model: LightningModule, data: LightningDataModule | None) -> None:
    """Make sure before training that there is something to test.

    Raises:
        ConfigError: the model or the data has no test.
    """
    needed: tuple[tuple[Any, type[Any], str, str], ...] = (
        (model, LightningModule, "test_step", "model"),
        (model, LightningModule, "test_dataloader", "model")
        if data is None
        else (data, LightningDataModule, "test_dataloader", "data module"),
    )
    for own, base, method, what in needed:
        if getattr(type(own), method) is getattr(base, method):
            problem = f"the {what} has no `{method}`"
            raise config_error("trainer.after_fit", problem, f"a `{method}`, or no after_fit")


def test(trainer: Trainer, model: LightningModule, data: LightningDataModule | None) -> None:
    """Test the weights that training has ended with; its metrics stand beside training's."""
    trained = dict(trainer.callback_metrics)
    trainer.test(model, datamodule=data, verbose=False)
    # Lightning forgets all metrics where a test begins.
    trainer.callback_metrics.update({**trained, **trainer.callback_metrics})
