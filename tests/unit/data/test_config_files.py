"""The data files that come with the project."""

from pathlib import Path

import pytest

from pcm.config.document import load_document
from pcm.data import ConditionalMNIST

FOLDER = Path(__file__).parents[3] / "config" / "data"
PAIRS = sorted(path.name.removesuffix("-train.yaml") for path in FOLDER.glob("*-train.yaml"))


def test_every_file_is_one_of_a_pair() -> None:
    assert "mnist" in PAIRS
    names = {f"{pair}-{split}.yaml" for pair in PAIRS for split in ("train", "test")}
    assert {path.name for path in FOLDER.iterdir()} == names


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_trains_and_validates_under_the_same_conditions(pair: str) -> None:
    train, test = (
        load_document(FOLDER / f"{pair}-{split}.yaml").data for split in ("train", "test")
    )
    assert train["train"] is True
    assert test["train"] is False
    for cfg in (train, test):
        for entry in cfg["cond_trans_mgr"]:
            del entry["known_prob"]
    assert train["cond_trans_mgr"] == test["cond_trans_mgr"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_makes_batches(pair: str) -> None:
    train, test = (
        load_document(FOLDER / f"{pair}-{split}.yaml").data for split in ("train", "test")
    )
    data = ConditionalMNIST(train, test, batch_size=64, seed=0)
    width = 1 + len(train["cond_trans_mgr"])
    for loader in (data.train_dataloader(), data.val_dataloader()):
        batch = next(iter(loader))
        assert batch["img"].shape == (64, 1, 28, 28)
        assert 0 <= batch["img"].min() < batch["img"].max() <= 1 + 1e-6
        assert batch["condition_token_ids"].shape == batch["condition_values"].shape == (64, width)
    # Validation is told everything.
    assert (batch["condition_token_ids"] > 0).all()
