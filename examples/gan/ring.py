"""A GAN that learns a ring in the plane: two optimizers, stepped by hand."""

import math

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


class Gan(LightningModule):
    """A generator and a discriminator that take turns."""

    def __init__(self, width: int = 64, noise: int = 4, lr: float = 1e-3) -> None:
        super().__init__()
        self.save_hyperparameters()
        # Lightning steps nothing: training_step does.
        self.automatic_optimization = False
        self.generator = _network(noise, width, 2)
        self.discriminator = _network(2, width, 1)

    def training_step(self, batch: list[Tensor]) -> None:
        """A step of the discriminator, then one of the generator."""
        (real,) = batch
        for_generator, for_discriminator = self.optimizers()
        fake = self.generator(torch.randn(len(real), self.hparams["noise"], device=self.device))
        judged = self.discriminator(torch.cat([real, fake.detach()]))
        truth = torch.cat([torch.ones(len(real), 1), torch.zeros(len(real), 1)]).to(judged)
        loss_discriminator = nn.functional.binary_cross_entropy_with_logits(judged, truth)
        self._step(for_discriminator, loss_discriminator)
        fooled = self.discriminator(fake)
        loss = nn.functional.binary_cross_entropy_with_logits(fooled, torch.ones_like(fooled))
        self._step(for_generator, loss)
        self.log_dict({"train/generator": loss, "train/discriminator": loss_discriminator})

    def validation_step(self, batch: list[Tensor]) -> None:
        """How far what is generated lies from the ring, whose radius is 1."""
        (real,) = batch
        made = self.generator(torch.randn(len(real), self.hparams["noise"], device=self.device))
        self.log("val/loss", (made.norm(dim=1) - 1).abs().mean(), sync_dist=True)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One for each network."""
        networks = (self.generator, self.discriminator)
        return [torch.optim.Adam(net.parameters(), lr=self.hparams["lr"]) for net in networks]

    def _step(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()


class Ring(LightningDataModule):
    """Points on a circle, a little blurred."""

    def __init__(self, size: int = 2048, batch_size: int = 128) -> None:
        super().__init__()
        self.size, self.batch_size = size, batch_size

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Shuffled."""
        return DataLoader(_ring(self.size, seed=0), self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        """Other points."""
        return DataLoader(_ring(self.size // 4, seed=1), self.batch_size)


def _network(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.LeakyReLU(), nn.Linear(width, width), nn.LeakyReLU(),
        nn.Linear(width, outputs),
    )  # fmt: skip


def _ring(size: int, seed: int) -> TensorDataset:
    source = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(size, generator=source)
    points = torch.stack([angle.cos(), angle.sin()], dim=1)
    return TensorDataset(points + 0.02 * torch.randn(size, 2, generator=source))
