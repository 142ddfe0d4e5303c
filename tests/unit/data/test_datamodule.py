import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from pcm.config.structures.data import DATA
from pcm.data import ConditionalMNIST
from pcm.data import datamodule as module
from pcm.errors import ConfigError, PcmError

from .samples import CPU, categorical, data_cfg, write_mnist

SHIFT = categorical(2, "translate", [[0, 0], [2, 2]])
TRAIN, VAL = data_cfg(SHIFT), data_cfg(SHIFT, train=False)


@pytest.fixture
def small(data_dir: Path) -> Path:
    write_mnist(data_dir, train=30, test=20)
    return data_dir


def build(**kwargs: Any) -> ConditionalMNIST:
    options = {"batch_size": 8, "seed": 0} | kwargs
    return ConditionalMNIST(options.pop("train", TRAIN), options.pop("val", VAL), **options)


def attach(data: ConditionalMNIST, rank: int, world_size: int, other: Any = None) -> None:
    """A stand-in for the Trainer of one of several ranks."""
    strategy = SimpleNamespace(
        root_device=CPU, broadcast=lambda mine: mine if other is None else other
    )
    data.trainer = SimpleNamespace(  # type: ignore[assignment]
        global_rank=rank, world_size=world_size, strategy=strategy
    )


def images(loader: Any) -> list[bytes]:
    return [image.numpy().tobytes() for batch in loader for image in batch["img"]]


def test_train_and_validation_take_their_splits(small: Path) -> None:
    data = build(data_dir=small)
    assert len(images(data.train_dataloader())) == 30
    for loader in (data.val_dataloader(), data.test_dataloader(), data.predict_dataloader()):
        assert len(images(loader)) == 20


def test_the_data_file_chooses_the_split(small: Path) -> None:
    data = build(data_dir=small, train=VAL, val=TRAIN)
    assert len(images(data.train_dataloader())) == 20
    assert len(images(data.val_dataloader())) == 30
    assert len(images(build(data_dir=small, val=TRAIN).val_dataloader())) == 30


def test_the_environment_names_the_data_folder(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PCM_DATA_DIR", str(small))
    assert len(images(build().train_dataloader())) == 30
    monkeypatch.setenv("PCM_DATA_DIR", "")
    assert len(images(build().train_dataloader())) == 3000


def test_one_line_says_which_digits(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    data = build(data_dir=small)
    data.prepare_data()
    data.setup("fit")
    data.setup("validate")
    data.train_dataloader()
    folder = small / "MNIST" / "raw"
    assert caplog.messages == [f"Digits: full MNIST in {folder}, 30 train, 20 test"]


def test_the_line_says_why_it_is_the_sample(
    data_dir: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "ensure_files", lambda folder: f"nothing in {folder.name}")
    for folder in (None, data_dir):
        data = build(data_dir=folder)
        data.prepare_data()
        data.setup()
    counts = "Digits: the bundled sample, 3,000 train, 600 test"
    assert caplog.messages == [
        f"{counts} (PCM_DATA_DIR is not set)",
        f"{counts} (nothing in {data_dir.name})",
    ]


def test_nothing_is_read_or_fetched_before_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> None:
        raise AssertionError("too early")

    monkeypatch.setattr(module, "load_digits", refuse)
    monkeypatch.setattr(module, "ensure_files", refuse)
    build(data_dir=tmp_path)
    build().prepare_data()


def test_subsample_is_chosen_by_the_seed_and_keeps_its_items(small: Path) -> None:
    def train(size: int | None, seed: int = 0) -> list[bytes]:
        data = build(data_dir=small, subsample_size=size, seed=seed)
        return sorted(images(data.train_dataloader()))

    everything = train(None)
    assert len(train(7)) == 7
    assert train(7) == train(7)
    assert set(train(7)) < set(train(12)) < set(everything)
    assert train(7, seed=1) != train(7)
    assert train(30) == everything
    assert len(train(1)) == 1


def test_subsample_limits_validation_as_far_as_there_is_anything(small: Path) -> None:
    assert len(images(build(data_dir=small, subsample_size=7).val_dataloader())) == 7
    assert len(images(build(data_dir=small, subsample_size=25).val_dataloader())) == 20


def test_a_subsample_larger_than_the_data_is_refused(small: Path) -> None:
    data = build(data_dir=small, subsample_size=31)
    with pytest.raises(PcmError, match="subsample_size is 31, but there are 30 digits"):
        data.train_dataloader()


@pytest.mark.parametrize("name", ["batch_size", "subsample_size"])
@pytest.mark.parametrize("size", [0, -1])
def test_sizes_must_be_positive(name: str, size: int) -> None:
    with pytest.raises(PcmError, match=f"{name} is {size}"):
        build(**{name: size})


@pytest.mark.parametrize("which", ["train", "val"])
def test_an_invalid_config_is_refused_at_once(which: str) -> None:
    broken = data_cfg(categorical(0, "fade", [0.5]) | {"known_prob": 1.2})
    with pytest.raises(ConfigError) as caught:
        build(**{which: broken})
    keys = {fault.key for fault in caught.value.faults}
    assert keys == {"cond_trans_mgr.0.known_prob", "cond_trans_mgr.0.cfg.token_id"}


def test_the_class_shows_its_structure() -> None:
    assert ConditionalMNIST._config_structure is DATA


def test_ranks_share_an_epoch(small: Path) -> None:
    whole = build(data_dir=small)
    train, val = images(whole.train_dataloader()), images(whole.val_dataloader())
    shares: list[list[bytes]] = []
    for rank in range(4):
        data = build(data_dir=small)
        attach(data, rank, 4)
        shares.append(images(data.train_dataloader()))
        val = [image for image in val if image not in set(images(data.val_dataloader()))]
    assert {len(share) for share in shares} == {8}
    assert {image for share in shares for image in share} == set(train)
    assert val == []


def test_fewer_digits_to_validate_on_than_ranks_are_refused(small: Path) -> None:
    data = build(data_dir=small, subsample_size=3)
    attach(data, 0, 4)
    with pytest.raises(PcmError, match="3 digits to validate on can't be shared by 4 ranks"):
        data.val_dataloader()
    assert len(images(data.train_dataloader())) == 1


def test_ranks_with_different_digits_are_found_out(small: Path) -> None:
    data = build(data_dir=small)
    attach(data, 1, 2, other={True: "of the bundled sample"})
    with pytest.raises(PcmError, match="rank 1 has other digits than rank 0"):
        data.setup()


def test_a_checkpoint_remembers_its_digits(small: Path) -> None:
    state = build(data_dir=small).state_dict()
    build(data_dir=small, seed=3).load_state_dict(state)
    with pytest.raises(PcmError, match="trained on other digits than the bundled sample"):
        build().load_state_dict(state)


class Recorder(LightningModule):
    """Learns nothing, and keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.seen: dict[str, list[bytes]] = {"train": [], "val": []}

    def training_step(self, batch: dict[str, Tensor]) -> Tensor:
        self.seen["train"] += images([batch])
        return batch["img"].mean() * self.weight.sum()

    def validation_step(self, batch: dict[str, Tensor]) -> None:
        self.seen["val"] += images([batch])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    return Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=tmp_path,
    )


def test_a_trainer_runs_through_the_epochs(small: Path, trainer: Trainer) -> None:
    model = Recorder()
    trainer.fit(model, datamodule=build(data_dir=small))
    alone = build(data_dir=small)
    loader = alone.train_dataloader()
    assert model.seen["train"] == [*images(loader), *images(loader)]
    assert model.seen["val"] == images(alone.val_dataloader()) * 2
