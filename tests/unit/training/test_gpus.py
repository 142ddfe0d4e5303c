"""GPUs that were asked for and are not there."""

import ctypes
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from pcm.errors import RefusedError
from pcm.rank.ranks import Ranks
from pcm.run_dir import GPUS_ASKED
from pcm.training.building import gpus
from pcm.training.building.devices import choose_device

ONE = Ranks()


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What is told on a node that has some of what GPUs need."""

    def told(*, is_built: bool = True, device: bool = True, driver: bool = True) -> str:
        monkeypatch.setenv(GPUS_ASKED, "4")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: is_built)
        monkeypatch.setattr(torch.version, "hip", None)
        monkeypatch.setattr(gpus, "DEVICES", tmp_path)
        (tmp_path / "nvidiactl").touch()
        if device:
            (tmp_path / "nvidia3").touch()

        def load(name: str) -> None:
            assert name == "libcuda.so.1"
            if not driver:
                raise OSError(name)

        monkeypatch.setattr(ctypes, "CDLL", load)
        with pytest.raises(RefusedError, match="4 asked for, 0 seen by training") as caught:
            choose_device({"accelerator": "auto"}, ONE)
        return str(caught.value)

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return told


def test_a_torch_for_cpus(node: Callable[..., str]) -> None:
    assert "this torch is a build for CPUs" in node(is_built=False)


def test_a_node_without_devices(node: Callable[..., str]) -> None:
    told = node(device=False, driver=False)
    assert "there is no /dev/nvidia0" in told
    assert "nvidia-smi" in told


def test_a_driver_that_did_not_come_in(node: Callable[..., str]) -> None:
    told = node(driver=False)
    assert "libcuda.so.1 is not here" in told
    assert "`nv: true`" in told


def test_a_driver_that_did_not_come_into_the_image(
    node: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(gpus, "_IMAGE", tmp_path)
    assert "libcuda.so.1 is not in the image" in node(driver=False)


def test_devices_hidden_by_a_variable(
    node: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7")
    assert "CUDA_VISIBLE_DEVICES is '7'" in node()


def test_a_driver_that_complains(node: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your system is too old\nsecond line")

    monkeypatch.setattr(torch.cuda, "init", init)
    told = node()
    assert "too old" in told
    assert "second line" not in told


def test_fewer_than_there_are_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS_ASKED, "2")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(RefusedError, match="2 asked for, 1 seen by training"):
        choose_device({}, Ranks(1, 2, 1, 2))


@pytest.mark.parametrize("asked", [None, "0", ""])
def test_nobody_asked(asked: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GPUS_ASKED, raising=False)
    if asked is not None:
        monkeypatch.setenv(GPUS_ASKED, asked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device({}, ONE) == torch.device("cpu")


def test_who_wants_the_cpu_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GPUS_ASKED, "2")
    assert choose_device({"accelerator": "cpu"}, ONE) == torch.device("cpu")
