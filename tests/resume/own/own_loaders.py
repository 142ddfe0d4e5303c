"""Data modules of the kinds that people have, each with loaders that are hard to find again."""

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    Sampler,
    Subset,
    default_collate,
)

Item = tuple[Tensor, Tensor]


class Items(Dataset[Item]):
    """Points, and on which side of a plane they are."""

    def __init__(self, size: int = 40, *, noisy: bool = False) -> None:
        self.inputs = torch.randn(size, 4, generator=torch.Generator().manual_seed(0))
        self.noisy = noisy

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> Item:
        point = self.inputs[index]
        noise = 0.1 * torch.randn(4) if self.noisy else torch.zeros(4)
        return point + noise, (point.sum(0, keepdim=True) > 0).float()


class Data(LightningDataModule):
    """Ten batches of four, shuffled."""

    def __init__(self, size: int = 40, *, noisy: bool = False, persistent: bool = False) -> None:
        super().__init__()
        self.size, self.noisy, self.persistent = size, noisy, persistent

    def train_dataloader(self) -> Any:
        items = Items(self.size, noisy=self.noisy)
        workers = {"num_workers": 1, "persistent_workers": True} if self.persistent else {}
        return DataLoader(items, batch_size=4, shuffle=True, **workers)  # type: ignore[arg-type]

    def val_dataloader(self) -> Any:
        return DataLoader(Items(8), batch_size=4)


class Ordered(Data):
    """The same batches in every epoch, whoever trains."""

    def train_dataloader(self) -> Any:
        return DataLoader(Items(self.size), batch_size=4)


class Subsets(Data):
    """Another half of the data in every epoch."""

    def train_dataloader(self) -> Any:
        half = torch.randperm(80)[:40].tolist()
        return DataLoader(Subset(Items(80), half), batch_size=4, shuffle=True)


class Telling(Items):
    """Items that print which they are."""

    def __getitem__(self, index: int) -> Item:
        print("ITEM", index, flush=True)
        return super().__getitem__(index)


class Told(Data):
    def train_dataloader(self) -> Any:
        return DataLoader(Telling(16), batch_size=4, shuffle=True)


class Unreadable(Items):
    def __getitem__(self, index: int) -> Any:
        return None if index == 7 else super().__getitem__(index)


def _readable(items: list[Any]) -> Any:
    found = [item for item in items if item is not None]
    return default_collate(found) if found else None


class Gaps(Data):
    """One of its batches is None."""

    def train_dataloader(self) -> Any:
        return DataLoader(Unreadable(12), batch_size=1, shuffle=True, collate_fn=_readable)


class Holes(Items):
    """Items of which some can't be had."""

    def __init__(self, size: int, holes: list[int]) -> None:
        super().__init__(size)
        self.holes = holes

    def __getitem__(self, index: int) -> Any:
        return None if index in self.holes else super().__getitem__(index)


class HolesOfRanks(Data):
    """In the order of the items, those after another on ranks after another.

    A batch that lacks one of its items is None.
    """

    def __init__(self, holes: list[int]) -> None:
        super().__init__()
        self.holes = holes

    def train_dataloader(self) -> Any:
        items = Holes(40, self.holes)
        assert self.trainer is not None
        ranks, rank = self.trainer.world_size, self.trainer.global_rank
        sampler: Any = DistributedSampler(items, ranks, rank, shuffle=False)
        return DataLoader(items, 4, sampler=sampler, collate_fn=_whole)


def _whole(items: list[Any]) -> Any:
    return None if None in items else default_collate(items)


class Endless:
    """Hands out one iterator, again and again."""

    def __init__(self) -> None:
        self.one: Iterator[Any] | None = None

    def __iter__(self) -> Iterator[Any]:
        if self.one is None:
            self.one = self._forever()
        return self.one

    def _forever(self) -> Iterator[Any]:
        while True:
            yield from DataLoader(Items(36), batch_size=4, shuffle=True)


class EndlessData(Data):
    def train_dataloader(self) -> Any:
        return Endless()


class Exhausted(Data):
    """Has nothing for a second epoch."""

    def train_dataloader(self) -> Any:
        return iter(list(DataLoader(Items(), batch_size=4)))


class Drawing(Items):
    """Draws from a generator of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = random.Random(0)

    def __getitem__(self, index: int) -> Item:
        point, side = super().__getitem__(index)
        return point + 0.1 * self.generator.random(), side


class OwnOrder(Sampler[int]):
    """Shuffles with a generator of its own, which goes on from epoch to epoch."""

    def __init__(self) -> None:
        self.generator = random.Random(5)

    def __len__(self) -> int:
        return 40

    def __iter__(self) -> Iterator[int]:
        order = list(range(40))
        self.generator.shuffle(order)
        return iter(order)


class CarriedOrder(Sampler[int]):
    """Shuffles what the epoch before has left, of more elements than it takes."""

    def __init__(self, size: int = 2_500) -> None:
        self.order = torch.arange(size)
        self.last = list(range(size))

    def __len__(self) -> int:
        return 40

    def __iter__(self) -> Iterator[int]:
        self.order = self.order[torch.randperm(len(self.order))]
        random.shuffle(self.last)
        return iter(
            [(a + b) % 40 for a, b in zip(self.order.tolist()[:40], self.last[:40], strict=True)]
        )


class Buckets(Sampler[list[int]]):
    """Batches of items that are alike, which it shuffles anew for each epoch, and counts."""

    def __init__(self, size: int = 2_200) -> None:
        self.batches = [[index % 40 for index in range(at, at + 4)] for at in range(size)]
        self.epoch = 0

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[list[int]]:
        self.epoch += 1
        random.Random(self.epoch).shuffle(self.batches)
        return iter(self.batches[:10])


class Shuffled(Items):
    """Shuffles its own arrays, as far too many datasets do."""

    def __init__(self, size: int = 2_500) -> None:
        super().__init__(40)
        self.order = np.arange(size)
        self.names = [(f"{index}.png", index) for index in range(size)]

    def __getitem__(self, index: int) -> Item:
        if index == 7:
            np.random.shuffle(self.order)
            random.shuffle(self.names)
        return super().__getitem__((int(self.order[index]) + self.names[index][1]) % 40)


class OwnGenerators(Data):
    def setup(self, stage: str) -> None:  # noqa: ARG002
        self.items = Drawing()

    def train_dataloader(self) -> Any:
        return DataLoader(self.items, batch_size=4, sampler=OwnOrder())


class Checked(Data):
    """Validates with a part that is drawn, and with noise of the dataset's own generator."""

    def val_dataloader(self) -> Any:
        return DataLoader(Subset(Drawing(), torch.randperm(40)[:8].tolist()), batch_size=4)


class Buffer(IterableDataset[Item]):
    """Shuffles in a buffer, with the generator that dropout draws from, too."""

    def __iter__(self) -> Iterator[Item]:
        items, waiting = Items(), []
        for index in range(40):
            waiting.append(items[index])
            if len(waiting) > 10:
                yield waiting.pop(int(torch.randint(len(waiting), (1,))))
        yield from waiting


class Stream(Data):
    def train_dataloader(self) -> Any:
        return DataLoader(Buffer(), batch_size=4)


class Shards(IterableDataset[Item]):
    """Another order in every epoch, of which it is told."""

    epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __iter__(self) -> Iterator[Item]:
        order = torch.randperm(40, generator=torch.Generator().manual_seed(self.epoch))
        yield from map(Items().__getitem__, order.tolist())


class CheckedByStream(Data):
    """Validates with a stream, whose first batch Lightning fetches before the validation."""

    def val_dataloader(self) -> Any:
        return DataLoader(Buffer(), batch_size=20)


class EpochStream(Data):
    def setup(self, stage: str) -> None:  # noqa: ARG002
        self.items = Shards()

    def train_dataloader(self) -> Any:
        return DataLoader(self.items, batch_size=4)


class Positions:
    """A loader that can begin in the midst, as torchdata's StatefulDataLoader."""

    def __init__(self) -> None:
        self.first = self.at = 0

    def __len__(self) -> int:
        return 10

    def __iter__(self) -> Iterator[Item]:
        items, first = Items(), self.first
        self.first = 0
        for self.at in range(first + 1, 11):
            yield default_collate([items[index] for index in range(4 * self.at - 4, 4 * self.at)])


class OwnPosition(Data):
    """Saves where its loader is, as torchdata advises."""

    saved = 0

    def train_dataloader(self) -> Any:
        self.loader = Positions()
        self.loader.first = self.saved
        return self.loader

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.loader.at % 10}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.saved = state_dict["at"]
