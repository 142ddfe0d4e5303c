"""Small data sets of finished batches for the tiny model."""

from collections.abc import Iterator

import torch
from torch import Tensor


def small_images(n_items: int, seed: int = 0) -> dict[str, Tensor]:
    """Images of 4 x 4 pixels from a 2-dimensional family, and a component for each."""
    generator = torch.Generator().manual_seed(seed)
    factors = torch.rand(n_items, 2, 1, generator=generator)
    edges = torch.linspace(0, 1, 4)
    images = (factors[:, :1] * edges[:, None] + factors[:, 1:] * edges) / 2
    return {"img": images.reshape(n_items, 1, 4, 4)}


class Batches:
    """The same batches at every epoch, like a loader of finished batches."""

    def __init__(self, sizes: list[int], seed: int = 0) -> None:
        images = small_images(sum(sizes), seed)["img"]
        self.batches = [{"img": part} for part in images.split(sizes)]

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return iter([dict(batch) for batch in self.batches])

    def __len__(self) -> int:
        return len(self.batches)
