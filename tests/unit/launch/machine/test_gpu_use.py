"""With a program in the place of the driver's, which not every machine has."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from launch.machine import gpu_use
from launch.machine.gpu_use import GpuLook, GpuUse, device_of_rank, parse_use
from tests.local.conftest import wait_for

Install = Callable[[str], Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a shell script in the driver's place, that first writes down its arguments."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def install(script: str) -> Path:
        program, said = tmp_path / "nvidia-smi", tmp_path / "said"
        program.write_text(f'#!/bin/sh\necho "$@" >> "{said}"\n{script}\n')
        program.chmod(0o755)
        return said

    return install


def test_it_tells_of_the_one_gpu(install: Install) -> None:
    said = install("echo '87, 40213, 612.10'")
    look = GpuLook("GPU-7")
    assert look.answer() is None
    look.begin()
    assert wait_for(look.answer) == GpuUse(87.0, 40213.0, 612.1)
    assert look.answer() is None
    assert said.read_text().startswith("-i GPU-7 --query-gpu=utilization.gpu,")


def test_one_that_hangs_is_waited_for_by_nobody_and_asked_no_more(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = install("exec sleep 60")
    monkeypatch.setattr(gpu_use, "PATIENCE_S", 0.2)
    look = GpuLook("0")
    look.begin()
    wait_for(said.exists)
    before = time.monotonic()
    assert look.answer() is None
    assert time.monotonic() < before + 5
    time.sleep(0.2)
    assert look.answer() is None  # and it is killed
    look.begin()
    assert look.answer() is None
    assert len(said.read_text().splitlines()) == 1


@pytest.mark.parametrize("script", ["exit 9", "echo No devices were found; exit 6", "exit 0"])
def test_one_that_fails_tells_nothing_and_is_asked_again(install: Install, script: str) -> None:
    said = install(script)
    look = GpuLook("0")

    def times_asked() -> int:
        look.begin()
        assert look.answer() is None
        return len(said.read_text().splitlines()) if said.exists() else 0

    wait_for(lambda: times_asked() >= 2)


def test_where_there_is_no_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    look = GpuLook("0")
    look.begin()
    assert look.answer() is None
    look.end()


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("0, 3, 71.5\n", GpuUse(0.0, 3.0, 71.5)),
        ("[N/A], 1024, [N/A]\n", GpuUse(None, 1024.0, None)),
        ("[N/A], [N/A], [N/A]\n", None),
        ("", None),
    ],
)
def test_answers(text: str, use: GpuUse | None) -> None:
    assert parse_use(text) == use


@pytest.mark.parametrize(
    ("visible", "local_rank", "gpus", "device"),
    [
        (None, 1, 2, "1"),
        (None, 0, 0, None),
        ("", 0, 0, None),
        ("-1", 0, 1, None),
        ("3, GPU-5", 1, 2, "GPU-5"),
        ("3", 1, 0, None),
    ],
)
def test_the_gpu_of_a_rank(
    visible: str | None, local_rank: int, gpus: int, device: str | None
) -> None:
    assert device_of_rank(visible, local_rank, gpus) == device
