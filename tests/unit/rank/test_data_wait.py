import time
from itertools import count

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.demos.boring_classes import BoringModel
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from pcm.internals import loops
from pcm.rank.data_wait import DataWait

SLOW_S = 0.02


class Slow(Dataset[Tensor]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Tensor:
        time.sleep(SLOW_S)
        return torch.ones(32) * index


def test_waiting_and_having(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count(100.0, 10.0)
    monkeypatch.setattr("pcm.rank.data_wait.time.perf_counter", lambda: next(clock))
    wait = DataWait()
    assert wait.record() == {}
    wait.begin()
    assert wait.record() == {"waited_for_data_s": 10.0, "training_s": 10.0}
    wait.end()
    assert wait.record() == {"waited_for_data_s": 20.0, "training_s": 30.0}
    wait.close()
    assert wait.record() == wait.record() == {"waited_for_data_s": 20.0, "training_s": 40.0}


def test_nothing_was_asked_for_before_the_end() -> None:
    wait = DataWait()
    wait.close()
    assert wait.record() == {}


def test_the_trainer_tells_of_each_batch() -> None:
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    wait = DataWait()
    loops.watch_fetching(trainer, wait.begin, wait.end)
    # Validation waits for data, too, which is not counted.
    trainer.fit(BoringModel(), DataLoader(Slow(), batch_size=2), DataLoader(Slow(), batch_size=2))
    wait.close()
    waited, had = wait.seconds()
    assert waited is not None
    assert had is not None
    assert waited >= 2 * 8 * SLOW_S
    assert had >= waited + 2 * 8 * SLOW_S
