"""scripts/make_digit_sample.py, on files of random digits."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from .samples import write_mnist

SCRIPT = Path(__file__).parents[3] / "scripts" / "make_digit_sample.py"


def make(data_dir: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = [str(SCRIPT), str(data_dir), "--output", str(output)]
    monkeypatch.setattr("sys.argv", arguments)
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_sample_is_balanced_and_the_same_each_time(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_mnist(data_dir, train=3100, test=700, compressed=True)
    first, second = data_dir / "first.npz", data_dir / "second.npz"
    for output in (first, second):
        make(data_dir, output, monkeypatch)
        assert str(output) in capsys.readouterr().out
    assert first.read_bytes() == second.read_bytes()
    with np.load(first) as arrays:
        assert np.bincount(arrays["train_labels"]).tolist() == [300] * 10
        assert np.bincount(arrays["test_labels"]).tolist() == [60] * 10
        assert arrays["train_images"].shape == (3000, 28, 28)
        assert arrays["test_images"].dtype == np.uint8


def test_without_files_it_says_so_and_writes_nothing(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = data_dir / "sample.npz"
    with pytest.raises(SystemExit) as caught:
        make(data_dir, output, monkeypatch)
    assert caught.value.code == 2
    assert "no MNIST/raw/ files" in capsys.readouterr().err
    assert not output.exists()
