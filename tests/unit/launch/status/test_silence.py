"""When training counts as silent."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from launch.status.silence import read_silence
from pcm.run_dir import AttemptDir, write_json


def files(tmp_path: Path, *, age: float = 0.0, **progress: Any) -> AttemptDir:
    files = AttemptDir(tmp_path)
    write_json(files.progress, {"phase": "training", "time": 5000.0, "stepped": 4999.0} | progress)
    os.utime(files.progress, (time.time() - age,) * 2)
    return files


@pytest.mark.parametrize(
    "progress",
    [
        {},
        {"stepped": 4945.0},
        {"stepped": 4800.0, "longest_step": 101.0},
        {"stepped": 4800.0, "phase": "validating"},
        {"stepped": 4800.0, "phase": "checkpointing"},
        {"stepped": None},
        {"stepped": "yesterday"},
    ],
)
def test_all_is_well(tmp_path: Path, progress: dict[str, Any]) -> None:
    assert read_silence(files(tmp_path, **progress)) is None


def test_too_long_without_a_step_by_trainings_own_clock(tmp_path: Path) -> None:
    silence = read_silence(files(tmp_path, stepped=4820.0, longest_step=80.0))
    assert silence == pytest.approx(180, abs=5)


@pytest.mark.parametrize("phase", ["training", "starting", "validating"])
def test_it_has_not_even_written_its_progress(tmp_path: Path, phase: str) -> None:
    silence = read_silence(files(tmp_path, age=180, phase=phase))
    assert silence == pytest.approx(180, abs=5)


def test_before_its_first_word(tmp_path: Path) -> None:
    assert read_silence(AttemptDir(tmp_path)) is None
