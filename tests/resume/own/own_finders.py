"""A module and data with what finders look for, and classes that bring or change finders."""

from typing import Any

import torch
from lightning import Callback
from lightning.pytorch.callbacks import BatchSizeFinder, LearningRateFinder
from lightning.pytorch.loggers.logger import DummyLogger
from own_model import (  # type: ignore[import-not-found]  # beside this file
    Automatic,
    Data,
    Noisy,
    ask_for_stop,
)
from torch import Tensor
from torch.utils.data import DataLoader


class Rated(Automatic):  # type: ignore[misc]
    """Has a learning rate, and counts its training steps, those of a search too."""

    def __init__(self, lr: float = 0.5) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lr = lr

    def training_step(self, batch: Tensor) -> Tensor:
        """Log what is trained with."""
        self.log("rate", self.lr)
        self.log("size", float(len(batch)))
        loss: Tensor = super().training_step(batch)
        return loss

    def on_train_batch_start(self, *_: Any) -> None:
        """Be killed or stopped inside of a search, if asked."""
        if isinstance(self.logger, DummyLogger):
            ask_for_stop("search", self.trainer.global_step)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)
        return [optimizer], [torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 0.9**n)]


class Bringing(Rated):
    """Brings its finders itself."""

    def configure_callbacks(self) -> list[Callback]:
        """In the order in which they look."""
        rates = LearningRateFinder(num_training_steps=15, early_stop_threshold=None)
        return [BatchSizeFinder(max_val=8), rates]


class Sized(Data):  # type: ignore[misc]
    """Has a batch size."""

    def __init__(self, batch_size: int = 4) -> None:
        super().__init__()
        self.batch_size = batch_size

    def train_dataloader(self) -> DataLoader[Tensor]:
        """As many batches as fit."""
        return DataLoader(Noisy(40), batch_size=self.batch_size, shuffle=True)


class Later(LearningRateFinder):
    """Looks again in later epochs, as in Lightning's documentation."""

    def on_fit_start(self, *_: Any) -> None:
        """Don't."""

    def on_train_epoch_start(self, *args: Any) -> None:
        """Look."""
        self.lr_find(*args)
