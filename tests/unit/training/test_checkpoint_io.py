import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pcm.errors import PcmError
from pcm.run_dir.checkpoints import Manifest, read_manifests
from pcm.training.checkpoint_io import CheckpointFiles, HashingStream, load_plain

FACTS = {"step": 3, "epoch": 0, "attempt": 2, "reason": "stop", "metrics": {"val/loss": 0.5}}


class Diary:
    """What the files told, in order."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.files = CheckpointFiles(None, lambda: self.entries.append("before"), self._after)

    def _after(self, manifest: Manifest) -> None:
        self.entries.append(manifest)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "check points' é" / "epoch=0-step=3.ckpt"


def test_a_checkpoint_and_its_manifest(path: Path) -> None:
    diary = Diary()
    diary.files.save_checkpoint({"weights": torch.arange(1000)}, path, FACTS)
    (manifest,) = read_manifests(path.parent)
    assert diary.entries == ["before", manifest]
    assert manifest.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest.size == path.stat().st_size
    assert (manifest.step, manifest.reason) == (3, "stop")
    assert diary.files.newest == path
    assert torch.equal(diary.files.load_checkpoint(path)["weights"], torch.arange(1000))


def test_what_people_put_into_hyperparameters_loads(path: Path) -> None:
    values = {
        "path": Path("/data"),
        "float": np.float64(0.5),
        "int": np.int64(3),
        "flag": np.bool_(True),
        "nested": [{"tuple": (1, "a", None)}],
    }
    Diary().files.save_checkpoint(values, path, FACTS)
    assert load_plain(path) == values


def test_what_could_run_code_is_refused_when_it_is_saved(path: Path) -> None:
    diary = Diary()
    with pytest.raises(PcmError, match="could never be loaded again") as caught:
        diary.files.save_checkpoint({"mine": os.path.join}, path, FACTS)
    assert "on_save_checkpoint" in str(caught.value)
    assert list(path.parent.iterdir()) == []
    assert diary.files.newest is None


def test_a_full_disk_leaves_what_was_there(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    diary = Diary()
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS)
    before = {each.name: each.read_bytes() for each in path.parent.iterdir()}

    def write(self: HashingStream, data: bytes) -> int:
        self.error = OSError(errno.ENOSPC, "No space left on device")
        raise self.error

    monkeypatch.setattr(HashingStream, "write", write)
    later = path.with_name("epoch=0-step=4.ckpt")
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, later, FACTS)
    assert "No space left on device" in capsys.readouterr().err
    assert {each.name: each.read_bytes() for each in path.parent.iterdir()} == before
    assert diary.files.newest == path


def test_the_stream_keeps_the_error_that_torch_hides(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with file.open("rb") as unwritable:
        stream = HashingStream(unwritable)
        with pytest.raises(OSError, match="write"):
            stream.write(b"data")
        assert stream.error is not None
        assert stream.size == 0


def test_a_users_own_checkpoint_callback_gets_whole_files_too(path: Path) -> None:
    diary = Diary()
    diary.files.save_checkpoint({"weights": torch.zeros(1)}, str(path))
    assert read_manifests(path.parent)[0].reason == "user"
    diary.files.remove_checkpoint(str(path))
    assert list(path.parent.iterdir()) == []
