"""How many experiments fit on a machine; real runs are in `tests/local`."""

from pathlib import Path

import pytest

from launch.local import runner as local
from launch.local.runner import default_parallel, run_local
from launch.submit.completion import Completion


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "available_cores", lambda: 8)


@pytest.mark.parametrize(
    ("devices", "world_size", "gpus", "fit"),
    [
        ("", 1, 0, 8),
        ("", 3, 0, 2),
        ("", 16, 0, 1),
        ("", 2, 2, 4),
        ("0,1,2,3", 2, 2, 2),
        ("0,1,2,3", 8, 8, 1),
        ("0,1,2,3", 2, 0, 4),
    ],
)
def test_gpus_are_counted_where_they_are_asked_for_and_there(
    devices: str, world_size: int, gpus: int, fit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", devices)
    assert default_parallel(world_size, gpus) == fit


def test_nothing_to_run_is_nothing_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_local([], 3, lambda _: pytest.fail("drew nothing")) == Completion(
        {}, is_interrupted=False
    )
    assert list(tmp_path.iterdir()) == []
