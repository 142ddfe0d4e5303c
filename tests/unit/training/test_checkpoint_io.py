import errno
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pcm.errors import PcmError
from pcm.run_dir.checkpoints import Manifest, find_fault, read_manifests
from pcm.training import insisting
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

    monkeypatch.setattr(insisting, "PAUSES_S", ())
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


class Faulty:
    """A disk whose next flushes fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.faults: list[int] = []
        self._fsync = os.fsync
        monkeypatch.setattr(insisting, "PAUSES_S", (0.0, 0.0))
        monkeypatch.setattr(os, "fsync", self._flush)

    def _flush(self, descriptor: int) -> None:
        if self.faults:
            code = self.faults.pop()
            raise OSError(code, os.strerror(code))
        self._fsync(descriptor)


@pytest.mark.parametrize("reason", ["stop", "end"])
def test_what_training_ends_with_is_tried_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    diary, disk = Diary(), Faulty(monkeypatch)
    disk.faults = [errno.EIO, errno.EIO]
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS | {"reason": reason})
    assert (diary.files.trouble, diary.files.newest) == (None, path)
    assert [manifest.reason for manifest in read_manifests(path.parent)] == [reason]


def test_training_goes_on_after_an_error_in_its_midst(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary, disk = Diary(), Faulty(monkeypatch)
    disk.faults = [errno.EIO]
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS | {"reason": "interval"})
    assert (diary.files.trouble, diary.files.newest) == (os.strerror(errno.EIO), None)
    assert list(path.parent.iterdir()) == []
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS | {"reason": "interval"})
    assert [diary.files.trouble, diary.files.newest] == [None, path]


def test_one_of_the_same_name_counts_until_it_is_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = Diary()
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS)
    (before,) = read_manifests(path.parent)
    disk = Faulty(monkeypatch)
    disk.faults = [errno.EIO]
    again = FACTS | {"attempt": 3, "reason": "epoch"}
    diary.files.save_checkpoint({"weights": torch.ones(10)}, path, again)
    assert read_manifests(path.parent) == [before]
    assert find_fault(path.parent, before) is None


def test_room_is_made_only_where_there_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    disk = Faulty(monkeypatch)

    def make_room() -> Manifest | None:
        asked.append(len(disk.faults))
        return None

    files = CheckpointFiles(None, lambda: None, lambda _: None, make_room)
    disk.faults = [errno.ENOSPC, errno.EIO]
    files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS)
    assert asked == [0]
    assert files.trouble is None
