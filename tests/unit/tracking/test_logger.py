import random
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning.pytorch.utilities import rank_zero_only
from matplotlib.figure import Figure
from PIL import Image

from pcm.run_dir import RunDir, read_journal
from pcm.tracking import RunLogger
from pcm.tracking import logger as logger_module
from pcm.tracking.events import LineTail
from tests.unit.tracking.conftest import describe

ROOT = Path(__file__).parents[3]
NO_TRACKER = {"id": "c0ffee1234", "name": "grid 1 ä", "tracker": None}


def picture() -> Figure:
    figure = Figure()
    figure.add_subplot().plot([1, 3, 2])
    return figure


def test_metrics_go_to_the_journal_at_once(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.log_metrics({"loss": torch.tensor(0.1), "lr": 1, "epoch": 2}, 7)
    logger.log_metrics({"loss": np.float32(0.5)}, 8)
    first, second = read_journal(run_dir.metrics)
    assert (first.attempt, first.step, first.epoch) == (1, 7, 2)
    assert first.values == {"loss": torch.tensor(0.1).item(), "lr": 1.0}
    assert (second.step, second.epoch, second.values) == (8, 2, {"loss": 0.5})
    logger.finalize("success")


def test_an_epoch_alone_is_no_row(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.log_metrics({"epoch": 2}, 7)
    logger.finalize("success")
    assert read_journal(run_dir.metrics) == []


def test_a_resumed_attempt_takes_back_later_rows(run_dir: RunDir) -> None:
    for attempt, resumed_from, last in ((1, None, 5), (2, 3, 4)):
        logger = RunLogger(run_dir, NO_TRACKER, attempt, resumed_from)
        for step in range(1 + (resumed_from or 0), last + 1):
            logger.log_metrics({"loss": attempt}, step)
        logger.finalize("success")
    assert [(row.step, row.attempt) for row in read_journal(run_dir.metrics)] == [
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 2),
    ]


def test_other_ranks_write_nothing(run_dir: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rank_zero_only, "rank", 1)
    before = set(run_dir.path.iterdir())
    logger = RunLogger(run_dir, describe(run_dir, {"name": "neptune"}), 1, None)
    logger.log_metrics({"loss": 1.0}, 1)
    logger.log_hyperparams({"lr": 0.1})
    logger.log_figure("f", picture(), 1)
    logger.log_checkpoint("a.ckpt", 1)
    logger.save()
    logger.finalize("success")
    assert set(run_dir.path.iterdir()) == before


@pytest.mark.parametrize("name", ["val/pca", "val/ä b'\"*", "../../up"])
def test_figures_become_pictures_with_their_step(run_dir: RunDir, name: str) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.log_figure(name, picture(), 120)
    logger.finalize("success")
    (event,) = LineTail(run_dir.events).read()
    file = run_dir.plots / event["file"]
    assert (event["key"], event["step"]) == (name, 120)
    assert "step=120" in file.name
    assert list(run_dir.path.rglob("*.png")) == [file]
    with Image.open(file) as image:
        colors = image.convert("RGB").getcolors(maxcolors=1 << 20)
    assert colors is not None
    assert len(colors) > 10


def test_a_figure_is_drawn_the_same_every_time(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.log_figure("a", picture(), 1)
    logger.log_figure("b", picture(), 1)
    logger.finalize("success")
    one, two = sorted(run_dir.plots.iterdir())
    assert one.read_bytes() == two.read_bytes()


def test_hyperparameters_and_checkpoints_are_events(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.log_hyperparams(Namespace(lr=0.1, dims=[1, 2]))
    logger.log_checkpoint("epoch=1-step=20.ckpt", 20)
    logger.finalize("success")
    fields, checkpoint = LineTail(run_dir.events).read()
    assert fields["fields"] == {"hyperparameters/lr": 0.1, "hyperparameters/dims": "[1, 2]"}
    assert (checkpoint["key"], checkpoint["text"]) == ("checkpoints", "epoch=1-step=20.ckpt")


def test_finalize_may_come_twice(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    logger.finalize("success")
    logger.finalize("success")
    logger.log_metrics({"late": 1.0}, 1)


def test_who_and_where(run_dir: RunDir) -> None:
    logger = RunLogger(run_dir, NO_TRACKER, 1, None)
    assert (logger.name, logger.version) == ("grid 1 ä", "c0ffee1234")
    assert logger.save_dir == logger.log_dir == str(run_dir.path)
    logger.finalize("success")


def test_the_tracker_draws_no_random_numbers_of_ours(run_dir: RunDir) -> None:
    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), np.random.get_state(legacy=False), torch.get_rng_state()
    logger = RunLogger(run_dir, describe(run_dir, {"name": "neptune"}), 1, None)
    logger.log_metrics({"loss": 1.0}, 1)
    logger.finalize("success")
    assert random.getstate() == before[0]
    assert str(np.random.get_state(legacy=False)) == str(before[1])
    assert torch.equal(torch.get_rng_state(), before[2])


def test_a_tracker_that_takes_its_process_along_is_a_warning(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    experiment = describe(run_dir, {"name": "tests.unit.tracking.fakes:Dying"})
    logger = RunLogger(run_dir, experiment, 1, None)
    logger.log_metrics({"loss": 1.0}, 1)
    with pytest.warns(UserWarning, match="exit code -6"):
        logger.finalize("success")
    assert [row.step for row in read_journal(run_dir.metrics)] == [1]


def test_a_stop_request_shortens_the_tracker_s_time(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(logger_module, "_SHORT_GRACE", 0.1)
    experiment = describe(run_dir, {"name": "tests.unit.tracking.fakes:Hanging"})
    logger = RunLogger(run_dir, experiment, 3, None)
    logger.log_metrics({"loss": 1.0}, 1)
    stop = run_dir.attempt(3).stop
    stop.parent.mkdir(parents=True)
    stop.write_text("{}")
    # With the long time this test would run into its time limit.
    logger.finalize("success")
    assert [row.step for row in read_journal(run_dir.metrics)] == [1]


def test_no_process_for_the_tracker_is_a_warning(
    run_dir: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.warns(UserWarning, match="no process could be started"):
        logger = RunLogger(run_dir, describe(run_dir, {"name": "neptune"}), 1, None)
    logger.log_metrics({"loss": 1.0}, 1)
    logger.finalize("success")
    assert [row.step for row in read_journal(run_dir.metrics)] == [1]


def test_lightning_comes_only_with_the_logger() -> None:
    code = "import sys, pcm.tracking; print('lightning' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
