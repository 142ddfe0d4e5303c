from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from pcm.data.batches import BatchLoader, eval_batches, train_batches
from pcm.data.conditions import Conditions

from .samples import CPU, SIDE, categorical, continuous, data_cfg, random_digits

SIZES = [1, 2, 5, 7, 8, 12, 16, 17, 31, 100]
BATCH_SIZES = [1, 2, 3, 8, 200]
WORLD_SIZES = [1, 2, 3, 4]
DIGITS = random_digits(41)
CFG = data_cfg(
    categorical(2, "translate", [[0, 0], [3, -3]], known_prob=0.5),
    continuous(3, "rotate", -30, 30, known_prob=0.5),
    label_known_prob=0.5,
)


def loader(samples: Sequence[int] | None = None, **kwargs: Any) -> BatchLoader:
    chosen = np.arange(len(DIGITS)) if samples is None else np.array(samples)
    options = {"seed": 0, "batch_size": 8, "shuffle": True} | kwargs
    return BatchLoader(DIGITS, Conditions(CFG, SIDE, CPU), chosen, **options)


def joined(batches: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def same(left: list[dict[str, Tensor]], right: list[dict[str, Tensor]]) -> bool:
    return len(left) == len(right) and all(
        torch.equal(one[key], other[key])
        for one, other in zip(left, right, strict=True)
        for key in one
    )


def rows(batches: list[dict[str, Tensor]]) -> list[bytes]:
    """Every item as bytes, in no order."""
    whole = joined(batches)
    columns = [whole[key].flatten(1).double() for key in sorted(whole)]
    return sorted(row.numpy().tobytes() for row in torch.cat(columns, dim=1))


@pytest.mark.parametrize("world_size", WORLD_SIZES)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("size", SIZES)
def test_train_shares_are_equal_and_cover_everything(
    size: int, batch_size: int, world_size: int
) -> None:
    order = np.random.default_rng(0).permutation(size)
    shares = [train_batches(order, batch_size, rank, world_size) for rank in range(world_size)]
    sizes = [[len(batch) for batch in share] for share in shares]
    assert all(of_rank == sizes[0] for of_rank in sizes)
    assert all(length == batch_size for length in sizes[0][:-1])
    assert 1 <= sizes[0][-1] <= batch_size
    assert len(shares[0]) == -(-size // (batch_size * world_size))
    seen = np.concatenate([batch for share in shares for batch in share])
    assert set(seen) == set(order)
    assert len(seen) - size < world_size


@pytest.mark.parametrize("world_size", WORLD_SIZES)
def test_the_global_batch_does_not_depend_on_the_number_of_ranks(world_size: int) -> None:
    order = np.random.default_rng(0).permutation(48)
    whole = train_batches(order, 12, 0, 1)
    for index, expected in enumerate(whole):
        parts = [
            train_batches(order, 12 // world_size, rank, world_size)[index]
            for rank in range(world_size)
        ]
        assert sorted(np.concatenate(parts)) == sorted(expected)


@pytest.mark.parametrize("world_size", WORLD_SIZES)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
@pytest.mark.parametrize("size", SIZES)
def test_eval_shares_have_everything_once(size: int, batch_size: int, world_size: int) -> None:
    order = np.arange(size)
    shares = [eval_batches(order, batch_size, rank, world_size) for rank in range(world_size)]
    seen = [sample for share in shares for batch in share for sample in batch]
    assert sorted(seen) == list(order)
    lengths = [sum(map(len, share)) for share in shares]
    assert max(lengths) - min(lengths) <= 1
    assert all(1 <= len(batch) <= batch_size for share in shares for batch in share)
    if batch_size > 1 and size >= world_size:
        assert len({len(share) for share in shares}) == 1


def test_eval_batches_of_a_single_rank_are_full() -> None:
    assert [len(batch) for batch in eval_batches(np.arange(20), 8, 0, 1)] == [8, 8, 4]


def test_a_batch() -> None:
    batch = next(iter(loader()))
    kinds = {key: (tuple(value.shape), value.dtype) for key, value in batch.items()}
    assert kinds == {
        "img": ((8, 1, 28, 28), torch.float32),
        "condition_token_ids": ((8, 3), torch.int64),
        "condition_values": ((8, 3), torch.float32),
    }


@pytest.mark.parametrize("shuffle", [True, False])
def test_len_is_the_number_of_batches(shuffle: bool) -> None:
    for batch_size in BATCH_SIZES:
        one = loader(batch_size=batch_size, shuffle=shuffle)
        assert len(list(one)) == len(one)


def test_a_batch_may_be_larger_than_the_data() -> None:
    (batch,) = loader(batch_size=1000)
    assert len(batch["img"]) == 41


def test_images_are_the_digits_divided_by_255() -> None:
    plain = BatchLoader(
        DIGITS,
        Conditions(data_cfg(), SIDE, CPU),
        np.arange(41),
        seed=0,
        batch_size=10,
        shuffle=False,
    )
    whole = joined(list(plain))
    assert torch.equal(whole["img"][:, 0], DIGITS.images.float() / 255)
    assert whole["condition_values"][:, 0].tolist() == DIGITS.labels.tolist()


def test_items_depend_on_neither_batch_size_nor_ranks_nor_order() -> None:
    expected = rows(list(loader()))
    assert rows(list(loader(batch_size=5))) == expected
    assert rows(list(loader(shuffle=False))) == expected
    shares = [list(loader(shuffle=False, world_size=3, rank=rank)) for rank in range(3)]
    assert rows([batch for share in shares for batch in share]) == expected


def test_train_ranks_together_see_every_item() -> None:
    shares = [list(loader(world_size=3, rank=rank)) for rank in range(3)]
    assert set(rows([batch for share in shares for batch in share])) == set(rows(list(loader())))


def test_a_subset_leaves_its_items_as_they_are() -> None:
    assert set(rows(list(loader([40, 3, 12, 13])))) < set(rows(list(loader())))


def test_each_training_epoch_is_new_and_comes_again() -> None:
    one = loader()
    first, second = list(one), list(one)
    assert not same(first, second)
    assert not set(rows(first)) & set(rows(second))
    again = loader()
    assert same(list(again), first)
    assert same(list(again), second)


def test_order_changes_with_the_epoch_and_the_seed() -> None:
    def order(seed: int, epoch: int) -> list[float]:
        plain = Conditions(data_cfg(), SIDE, CPU)
        one = BatchLoader(DIGITS, plain, np.arange(41), seed=seed, batch_size=8, shuffle=True)
        one.set_position(epoch, 0)
        return joined(list(one))["img"].double().sum(dim=(1, 2, 3)).tolist()

    orders = [order(seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len(set(map(tuple, orders))) == 4
    assert all(sorted(one) == sorted(orders[0]) for one in orders)
    assert order(0, 0) == orders[0]


def test_validations_are_all_alike() -> None:
    one = loader(shuffle=False)
    assert same(list(one), list(one))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("rank", [0, 1])
def test_set_position_equals_skipping(shuffle: bool, rank: int) -> None:
    def fresh() -> BatchLoader:
        return loader(batch_size=4, shuffle=shuffle, rank=rank, world_size=2)

    for epoch in range(3):
        whole = fresh()
        whole.set_position(epoch, 0)
        batches = list(whole)
        for start in range(len(whole) + 1):
            jumped = fresh()
            jumped.set_position(epoch, start)
            assert same(list(jumped), batches[start:])


def test_epochs_go_on_after_a_jump() -> None:
    straight, jumped = loader(), loader()
    for _ in range(2):
        list(straight)
    jumped.set_position(1, 3)
    list(jumped)
    assert same(list(jumped), list(straight))


def test_a_position_counts_until_the_first_batch() -> None:
    expected = loader()
    expected.set_position(2, 1)
    late = loader()
    iterator = iter(late)
    late.set_position(2, 1)
    assert same(list(iterator), list(expected))


def test_an_abandoned_epoch_is_over() -> None:
    one, other = loader(), loader()
    next(iter(one))
    list(other)
    assert same(list(one), list(other))


def test_nothing_is_drawn_from_the_global_generators() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    list(loader())
    assert torch.rand(1).item() == torch.rand(1, generator=torch.Generator().manual_seed(0)).item()
    assert np.random.random() == np.random.RandomState(0).random()


def test_the_default_dtype_of_the_process_does_not_matter() -> None:
    expected = list(loader())
    torch.set_default_dtype(torch.bfloat16)
    try:
        again = list(loader())
    finally:
        torch.set_default_dtype(torch.float32)
    assert same(again, expected)


def test_a_change_to_a_batch_stays_in_it() -> None:
    one = loader(shuffle=False)
    expected = [{key: value.clone() for key, value in batch.items()} for batch in one]
    for batch in one:
        batch["img"].zero_()
        batch["condition_values"].zero_()
    assert same(list(one), expected)
