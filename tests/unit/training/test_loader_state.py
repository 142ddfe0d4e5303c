"""What is kept of a loader, its sampler and its dataset."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, WeightedRandomSampler

from pcm.training.states.loader_state import LoaderState


class Items(Dataset[int]):
    def __init__(self, size: int = 3_000) -> None:
        self.points = torch.zeros(size)
        self.order = np.arange(size)
        self.names = [(index, f"{index}.png") for index in range(size)]

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, index: int) -> int:
        return index


class Ordered(Sampler[int]):
    def __init__(self, data_source: Any, size: int) -> None:
        self.data_source = data_source
        self.order = torch.arange(size)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order[:3].tolist())


def names_kept(state: LoaderState) -> list[set[str]]:
    return [set(each) for each in state.capture()]


def test_data_are_left_and_an_order_is_kept_once_it_is_shuffled() -> None:
    items = Items()
    sampler = WeightedRandomSampler([1.0] * 3_000, 3)
    state = LoaderState(DataLoader(items, sampler=sampler))
    *_, dataset = names_kept(state)
    assert dataset == set()
    items.order[:2] = [1, 0]
    items.names.reverse()
    sampler.weights[5] = 3.0
    # Loaders may be made anew; the order was shuffled all the same.
    state = LoaderState(DataLoader(items, sampler=sampler))
    captured = state.capture()
    assert set(captured[-1]) == {"order", "names"}
    assert any("weights" in each for each in captured)

    again = Items()
    weights = WeightedRandomSampler([1.0] * 3_000, 3)
    LoaderState(DataLoader(again, sampler=weights)).restore(captured)
    assert again.order[:3].tolist() == [1, 0, 2]
    assert again.names == items.names
    assert torch.equal(weights.weights, sampler.weights)


def test_a_samplers_order_is_kept_up_to_a_size_and_named_beyond(
    capsys: pytest.CaptureFixture[str],
) -> None:
    small, large = (Ordered([("a", 1)] * 3_000, size) for size in (2_000_000, 3_000_000))
    assert {"order"} <= names_kept(LoaderState(DataLoader(Items(), sampler=small)))[1]
    assert not capsys.readouterr().err
    state = LoaderState(DataLoader(Items(), sampler=large))
    assert "order" not in set.union(*names_kept(state), *names_kept(state))
    told = capsys.readouterr().err
    assert told.count("Ordered.order (more than 16 MiB), of a loader") == 1
