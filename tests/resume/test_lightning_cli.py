"""A config of a LightningCLI, imported, trains to the weights that LightningCLI trains to."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from lightning.pytorch.cli import LightningCLI

from launch.grid import expand
from launch.importing.reading import read_foreign
from launch.importing.writing import write_imported
from pcm.errors import ExitCode
from tests.resume.in_process import assert_resumes_the_same, train
from tests.resume.runs import OWN, assert_same, make_run, newest

pytest.importorskip("jsonargparse")

SGD = {"class_path": "SGD", "init_args": {"lr": 0.1, "momentum": 0.9}}
STEPS = {"class_path": "torch.optim.lr_scheduler.StepLR", "init_args": {"step_size": 1}}
PLATEAU = {
    "class_path": "ReduceLROnPlateau",
    "init_args": {"monitor": "val_loss", "patience": 0, "threshold": 0.5},
}
DRAWN = {"model": "kinds.Net", "data": "loaders.Data"}
"""Dropout and shuffling have streams of their own here, one for each rank."""


def config_of(**sections: Any) -> dict[str, Any]:
    trainer = {"max_epochs": 3, "accelerator": "cpu", "devices": 1, "log_every_n_steps": 1}
    return {
        "seed_everything": 7,
        "trainer": trainer,
        "model": {"class_path": "own_kinds.Undrawn"},
        "data": {"class_path": "own_loaders.Ordered"},
        **sections,
    }


def trained_by_cli(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The checkpoint of a training by Lightning alone."""
    file, checkpoint = folder / "config.yaml", folder / "cli.ckpt"
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    file.write_text(yaml.safe_dump({**config, "trainer": config["trainer"] | quiet}))
    cli = LightningCLI(save_config_callback=None, args=["fit", "--config", str(file)])
    cli.trainer.save_checkpoint(checkpoint)
    content: dict[str, Any] = torch.load(checkpoint, weights_only=False)
    return content


def imported(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    """The config of the one experiment that it comes to."""
    (folder / "cli.yaml").write_text(yaml.safe_dump(config))
    found = read_foreign(folder / "cli.yaml")
    assert found.left == []
    write_imported(found, folder / "grid.yaml")
    [point] = expand(folder / "grid.yaml").points
    whole: dict[str, Any] = point.config
    return whole


@pytest.mark.parametrize(
    "sections",
    [
        {"optimizer": SGD},
        {"optimizer": SGD, "lr_scheduler": STEPS},
        {"optimizer": SGD, "lr_scheduler": PLATEAU},
    ],
    ids=["optimizer", "scheduler", "plateau"],
)
def test_it_trains_to_the_same_weights(
    sections: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(OWN), *sys.path])
    monkeypatch.setattr(sys, "argv", ["main.py"])
    monkeypatch.setenv("OWN_STOP_AT", "")
    config = config_of(**sections)
    experiment = imported(tmp_path, config)
    run_dir = make_run(tmp_path / "run", **experiment)
    assert train(run_dir) == ExitCode.DONE
    ours, theirs = newest(run_dir), trained_by_cli(tmp_path, config)
    assert ours["global_step"] == theirs["global_step"] == 30
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(ours[part], theirs[part], part)


def test_it_is_resumed_bit_for_bit(tmp_path: Path) -> None:
    drawn = {name: {"class_path": f"own_{path}"} for name, path in DRAWN.items()}
    experiment = imported(tmp_path, config_of(optimizer=SGD, lr_scheduler=PLATEAU, **drawn))
    assert_resumes_the_same(tmp_path, ["step 14"], **experiment)
