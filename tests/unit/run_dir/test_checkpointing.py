from pathlib import Path

import pytest

from pcm.run_dir import RunDir, read_json
from pcm.run_dir.checkpointing import (
    Checkpointing,
    Mode,
    freeze_checkpointing,
    read_checkpointing,
)


def test_the_grid_files_word_counts_before_the_trainer_files() -> None:
    trainer = {"minutes": 5, "keep": 3, "monitor": None}
    wanted = Checkpointing.of(grid={"minutes": 1, "keep": None}, trainer=trainer)
    assert wanted == Checkpointing(minutes=1, keep=3)


def test_another_metric_does_not_take_over_the_mode_of_the_first() -> None:
    trainer = {"monitor": "val/acc", "mode": "max"}
    assert Checkpointing.of(grid={}, trainer=trainer).mode is Mode.MAX
    wanted = Checkpointing.of(grid={"monitor": "val/error"}, trainer=trainer)
    assert (wanted.monitored, wanted.mode) == (("val/error",), Mode.MIN)


def test_what_is_frozen_is_read(folder: Path) -> None:
    run_dir, wanted = RunDir(folder), Checkpointing(0.5, 1, "val/acc", Mode.MAX, 3)
    assert read_checkpointing(run_dir) == Checkpointing()
    freeze_checkpointing(run_dir, wanted)
    assert read_checkpointing(run_dir) == wanted
    assert read_json(run_dir.checkpointing)["mode"] == "max"


def test_the_same_again_writes_nothing(folder: Path) -> None:
    run_dir = RunDir(folder)
    freeze_checkpointing(run_dir, Checkpointing(keep=4))
    before = run_dir.checkpointing.stat().st_ino
    freeze_checkpointing(run_dir, Checkpointing(keep=4))
    assert run_dir.checkpointing.stat().st_ino == before
    freeze_checkpointing(run_dir, Checkpointing(keep=5))
    assert read_checkpointing(run_dir).keep == 5


@pytest.mark.parametrize("text", ["{", '{"keep": "two"}', '{"mode": "middle"}'])
def test_a_damaged_file_counts_as_none(
    folder: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = RunDir(folder)
    run_dir.checkpointing.write_text(text)
    assert read_checkpointing(run_dir) == Checkpointing()
    assert "checkpointing.json is damaged" in capsys.readouterr().err
