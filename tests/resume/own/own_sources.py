"""Sources of batches beside those of `own_loaders`, as `own_mixes.MixedData` has them."""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, Sampler, get_worker_info


class Split(IterableDataset[Any]):
    """Each worker has its share, in an order that is drawn, and counts the passes."""

    def __init__(self, items: Any) -> None:
        self.items, self.passes = items, 0

    def __iter__(self) -> Iterator[Any]:
        self.passes += 1
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        for index in torch.randperm(20).tolist():
            point, side = self.items[(2 * index + number + self.passes) % 40]
            yield point + 0.01 * count, side


class Sorted(BatchSampler):
    """Batches of what is alike among several that are drawn; its own size changes."""

    def __init__(self, sampler: Sampler[int], batch_size: int) -> None:
        super().__init__(sampler, batch_size, drop_last=False)
        self.passes: list[int] = []

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[list[int]]:
        self.passes.append(len(self.passes))
        drawn = list(self.sampler)
        for at in range(0, 40, 8):
            eight = sorted(drawn[at : at + 8])
            cut = 3 + self.passes[-1] % 3
            yield from (eight[:cut], eight[cut:])


class Epochs:
    """A loader of one's own, which makes one of torch's for each pass, with harder batches."""

    def __init__(self, items: Any, trainer: Any) -> None:
        self.items, self.trainer, self.size = items, trainer, 4

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[Any]:
        order = torch.randperm(40).tolist()
        for batch in DataLoader(self.items, 4, sampler=order):
            self.size += 1
            yield batch[0] * (1 + 0.01 * self.size + 0.1 * self.trainer.current_epoch), batch[1]
