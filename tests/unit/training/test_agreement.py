from collections.abc import Iterator
from datetime import timedelta

import pytest
import torch.distributed as dist
from torch._C._distributed_c10d import HashStore

from pcm.training.agreement import Alone, Together, Wish


@pytest.fixture
def group() -> Iterator[dist.ProcessGroup]:
    store = HashStore()
    dist.init_process_group(
        "gloo", store=store, rank=0, world_size=1, timeout=timedelta(seconds=30)
    )
    assert dist.group.WORLD is not None
    yield dist.group.WORLD
    dist.destroy_process_group()


def test_a_single_rank_decides_by_itself() -> None:
    wishes = iter([Wish.GO_ON, Wish.STOP, Wish.SAVE])
    agreement = Alone(lambda: next(wishes))
    assert agreement.poll() is Wish.GO_ON
    assert agreement.settle() is Wish.STOP
    assert agreement.poll() is Wish.SAVE


def test_a_wish_is_read_one_step_later(group: dist.ProcessGroup) -> None:
    agreement = Together(group, 0, lambda: Wish.STOP)
    assert agreement.poll() is Wish.GO_ON
    assert agreement.poll() is Wish.STOP


def test_an_epochs_end_decides_at_once(group: dist.ProcessGroup) -> None:
    wishes = iter([Wish.GO_ON, Wish.STOP])
    agreement = Together(group, 0, lambda: next(wishes))
    assert agreement.poll() is Wish.GO_ON  # asked the first wish
    assert agreement.settle() is Wish.STOP


def test_fast_steps_exchange_seldom_and_slow_ones_every_time(
    group: dist.ProcessGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("pcm.training.agreement.time.monotonic", lambda: now[0])

    def exchanges(seconds_per_step: float, steps: int) -> int:
        asked = []

        def wish() -> Wish:
            asked.append(1)
            return Wish.GO_ON

        agreement = Together(group, 0, wish)
        for _ in range(steps):
            now[0] += seconds_per_step
            agreement.poll()
        return len(asked)

    assert 9 <= exchanges(0.0001, 1000) <= 11
    assert 9 <= exchanges(0.01, 120) <= 12
    assert exchanges(1.0, 20) == 10, "one step sends, the next one reads"


def test_another_rank_is_never_asked(group: dist.ProcessGroup) -> None:
    def never() -> Wish:
        raise AssertionError

    # The one rank of this group broadcasts what it last had: nothing.
    agreement = Together(group, 1, never)
    assert agreement.settle() is Wish.GO_ON
