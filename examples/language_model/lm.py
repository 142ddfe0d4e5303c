"""A small language model of bytes, shared out to all ranks, and the sums that it learns."""

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.utils.data import DataLoader, Dataset


class Block(nn.Module):
    """Attention to what came before, then a perceptron; each adds to its input."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """From and to (batch, length, width)."""
        mixed = self.mix(self.first(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).flatten(2))
        added: Tensor = x + self.perceptron(self.second(x))
        return added


class Decoder(nn.Module):
    """Logits of the next byte after each."""

    def __init__(self, width: int, depth: int, heads: int, dropout: float, length: int) -> None:
        super().__init__()
        self.bytes, self.places = nn.Embedding(256, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 256)

    def forward(self, text: Tensor) -> Tensor:
        """From (batch, length) to (batch, length, 256)."""
        x = self.bytes(text) + self.places(torch.arange(text.shape[1], device=text.device))
        for block in self.blocks:
            x = block(x)
        logits: Tensor = self.head(self.norm(x))
        return logits


class LanguageModel(LightningModule):
    """Trains a decoder."""

    def __init__(
        self,
        *,
        width: int = 64,
        depth: int = 2,
        heads: int = 4,
        dropout: float = 0.1,
        length: int = 64,
        lr: float = 3e-3,
    ) -> None:
        super().__init__()
        self.lr = lr
        self.decoder = Decoder(width, depth, heads, dropout, length)

    def configure_model(self) -> None:
        """Share out each block, then what is left, once; `Result.load()` has no mesh."""
        if self.device_mesh is None or isinstance(self.decoder, FSDPModule):
            return
        for layer in (*self.decoder.blocks, self.decoder):
            fully_shard(layer, mesh=self.device_mesh["data_parallel"])

    def training_step(self, text: Tensor) -> Tensor:
        """How well each byte is foreseen."""
        loss = self.loss(text)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, text: Tensor) -> None:
        """The same, of sums that training has not seen."""
        self.log("val/loss", self.loss(text), sync_dist=True)

    def loss(self, text: Tensor) -> Tensor:
        """Cross entropy, in nats a byte."""
        logits = self.decoder(text[:, :-1])
        return nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """AdamW, whose state is shared out as well."""
        return torch.optim.AdamW(self.parameters(), lr=self.lr)


class Text(Dataset[Tensor]):
    """Pieces of a text, one byte longer than what a model reads."""

    def __init__(self, text: bytes, length: int) -> None:
        self.text, self.length = torch.tensor(list(text)), length

    def __len__(self) -> int:
        return (len(self.text) - 1) // self.length

    def __getitem__(self, index: int) -> Tensor:
        return self.text[index * self.length :][: self.length + 1]


class Sums(LightningDataModule):
    """A text made here: `17+25=42`, line by line."""

    def __init__(self, lines: int = 4000, length: int = 64, batch_size: int = 16) -> None:
        super().__init__()
        self.length, self.batch_size = length, batch_size
        numbers = torch.randint(50, (lines, 2), generator=torch.Generator().manual_seed(0))
        self.lines = [f"{a}+{b}={a + b}\n" for a, b in numbers.tolist()]

    def train_dataloader(self) -> DataLoader[Tensor]:
        """All but each tenth line, shuffled by pieces."""
        return self._loader([x for i, x in enumerate(self.lines) if i % 10], shuffle=True)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Each tenth line."""
        return self._loader(self.lines[::10], shuffle=False)

    def _loader(self, lines: list[str], *, shuffle: bool) -> DataLoader[Tensor]:
        pieces = Text("".join(lines).encode(), self.length)
        return DataLoader(pieces, self.batch_size, shuffle=shuffle)
