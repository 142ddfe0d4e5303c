"""A classifier of small handwritten digits and its data, as for any Lightning Trainer."""

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset, TensorDataset
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score


class DigitClassifier(LightningModule):
    """A perceptron with one hidden layer."""

    def __init__(self, width: int = 64, lr: float = 1e-3, dropout: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 10)
        )
        scores = {"accuracy": MulticlassAccuracy(10), "f1": MulticlassF1Score(10)}
        self.val_scores = MetricCollection(scores, prefix="val/")

    def training_step(self, batch: list[Tensor]) -> Tensor:
        """Cross entropy of one batch."""
        images, labels = batch
        loss = nn.functional.cross_entropy(self.net(images), labels)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: list[Tensor]) -> None:
        """Count; the metrics are computed at the epoch's end, over all ranks."""
        images, labels = batch
        logits = self.net(images)
        self.val_scores.update(logits, labels)
        self.log_dict(self.val_scores)
        self.log("val/loss", nn.functional.cross_entropy(logits, labels), sync_dist=True)

    def configure_optimizers(self) -> dict[str, object]:
        """Adam, whose rate falls along a cosine."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


class Digits(LightningDataModule):
    """1797 digits of 8 x 8 pixels, which come with scikit-learn; every fifth validates."""

    def __init__(self, batch_size: int = 64, workers: int = 0) -> None:
        super().__init__()
        self.batch_size, self.workers = batch_size, workers

    def setup(self, stage: str) -> None:
        """Read them once a process."""
        pixels, labels = load_digits(return_X_y=True)
        images = torch.tensor(pixels, dtype=torch.float32) / 16
        self.digits = TensorDataset(images, torch.tensor(labels))

    def train_dataloader(self) -> DataLoader[list[Tensor]]:
        """Four fifths, shuffled."""
        return self._loader([i for i in range(len(self.digits)) if i % 5], shuffle=True)

    def val_dataloader(self) -> DataLoader[list[Tensor]]:
        """The other fifth."""
        return self._loader(list(range(0, len(self.digits), 5)), shuffle=False)

    def _loader(self, indices: list[int], *, shuffle: bool) -> DataLoader[list[Tensor]]:
        return DataLoader(
            Subset(self.digits, indices),
            self.batch_size,
            shuffle=shuffle,
            num_workers=self.workers,
        )
