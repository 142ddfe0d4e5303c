"""The examples train; those of scripts are launched by `test_launched.py`."""

import math
import re

import pytest

from launch.local.debug import run_debug
from launch.results.rows import results_of
from launch.status.state import State
from launch.validate import check_file
from pcm.run_dir.shards import shards_folder
from tests.scripts.conftest import EXAMPLES, Folder, run

FOLDERS = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())


@pytest.mark.parametrize("name", FOLDERS)
def test_every_file_of_an_example_is_good(folder: Folder, name: str) -> None:
    folder.copy_example(name)
    checked = [check_file(path) for path in folder.path.glob("*.yaml")]
    assert [fault for each in checked for fault in each.faults] == []
    assert "grid" in {each.kind for each in checked}


def trained(folder: Folder, name: str, **overrides: float) -> dict[str, float]:
    """The metrics of an example's one point."""
    folder.copy_example(name)
    [experiment] = folder.launch(**overrides, model__init_args__lr=3e-3)
    assert run_debug(experiment).state is State.DONE
    [result] = results_of([experiment])
    return result.metrics


def test_classes_with_torchmetrics_learn_their_digits(folder: Folder) -> None:
    overrides = {"trainer__kwargs__max_epochs": 4, "model__init_args__width": 64}
    metrics = trained(folder, "own_classes", **overrides)
    assert metrics["val/accuracy"] > 0.7
    assert {"val/f1", "val/loss", "train/loss"} <= metrics.keys()


def test_a_gan_steps_both_of_its_optimizers(folder: Folder) -> None:
    metrics = trained(folder, "gan", trainer__kwargs__max_epochs=1, seed=0)
    assert {"train/generator", "train/discriminator", "val/loss"} <= metrics.keys()
    assert all(map(math.isfinite, metrics.values()))


def test_a_language_model_whose_weights_two_ranks_share(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.copy_example("language_model")
    overrides = {"trainer__kwargs__max_steps": 30, "data_train__init_args__lines": 1000}
    [experiment] = folder.launch(**overrides, model__init_args__width=64)
    assert run([experiment]).statuses[experiment.id].state is State.DONE
    [result] = results_of([experiment])
    assert result.metrics["val/loss"] < 4, "of 256 bytes it knows fewer"
    monkeypatch.syspath_prepend(folder.path)
    decoder = result.load().decoder
    assert {len(each.mix.weight) for each in decoder.blocks} == {3 * 64}
    assert shards_folder(result.checkpoint("last")).is_dir()


def test_the_page_names_every_example() -> None:
    page = (EXAMPLES / "README.md").read_text()
    assert sorted(re.findall(r"^\| \[(\w+)\]", page, re.MULTILINE)) == FOLDERS
