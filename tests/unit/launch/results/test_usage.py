"""What is known of what experiments took, whatever stands in the notes of it."""

import math
from pathlib import Path
from typing import Any

import pytest

from launch.results.usage import Used, used_by
from pcm.run_dir.records import UsageRecord
from pcm.run_dir.typed_json import write
from tests.local.launches import make_launch

LOOK: dict[str, Any] = {"samples": 3, "seconds": 30.0, "cpu_s": 45.0, "memory_mb": 100.0}


def used(root: Path, *looks: dict[str, Any]) -> Used:
    """Of one experiment, by what was noted of each of its ranks."""
    (only,) = make_launch(root)
    files = only.run_dir.attempt(1)
    files.path.mkdir(parents=True)
    for rank, look in enumerate(looks):
        write(files.usage(rank), UsageRecord(**look))
    return used_by(only)


@pytest.mark.parametrize(
    "odd",
    [
        {"samples": 0},
        {"seconds": 0.0},
        {"seconds": -30.0},
        {"seconds": math.inf},
        {"cpu_s": math.nan},
        {"cpu_s": -1.0},
        {"memory_mb": math.inf},
        {"gpu_percent": math.nan},
    ],
)
def test_a_note_that_cannot_be_so_tells_nothing(tmp_path: Path, odd: dict[str, Any]) -> None:
    assert used(tmp_path / "alone", {**LOOK, **odd}) == Used()
    both = used(tmp_path / "with another", LOOK, {**LOOK, **odd})
    assert (both.samples, both.cores, both.memory_mb) == (3, 1.5, 100.0)


def test_one_look_tells_something(tmp_path: Path) -> None:
    look = {"samples": 1, "seconds": 1.0, "cpu_s": 0.5, "memory_mb": 7.0}
    assert used(tmp_path, look) == Used(samples=1, cores=0.5, cores_of_rank=0.5, memory_mb=7.0)
