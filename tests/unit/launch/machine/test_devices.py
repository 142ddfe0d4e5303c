"""GPUs, as the environment or the driver has them."""

from pathlib import Path

import pytest

from launch.machine.devices import visible_devices


@pytest.mark.parametrize(
    ("chosen", "devices"),
    [
        ("0,2", ["0", "2"]),
        (" GPU-1a , MIG-2b ", ["GPU-1a", "MIG-2b"]),
        ("", []),
        ("-1", []),
    ],
)
def test_the_environment_chooses(chosen: str, devices: list[str]) -> None:
    assert visible_devices({"CUDA_VISIBLE_DEVICES": chosen}) == devices


def fake_driver(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_else_the_driver_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, "echo 0; echo 1", monkeypatch)
    assert visible_devices({}) == ["0", "1"]


def test_a_driver_that_does_not_work_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_driver(tmp_path, "echo 'no devices were found'; exit 6", monkeypatch)
    assert visible_devices({}) == []


def test_no_driver_no_devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_devices({}) == []
