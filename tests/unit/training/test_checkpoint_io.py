import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pcm.errors import PcmError
from pcm.rank import insisting
from pcm.run_dir.checkpoints import Manifest, find_fault, read_manifests
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles
from pcm.training.checkpoints.hashing import HashingStream
from pcm.training.checkpoints.loading_plain import load_plain

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
    assert "it has posixpath.join in it" in str(caught.value)
    assert "torch.load" not in str(caught.value)
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
    diary.files.finish()
    assert (diary.files.trouble, diary.files.newest) == (os.strerror(errno.EIO), None)
    assert list(path.parent.iterdir()) == []
    diary.files.save_checkpoint({"weights": torch.zeros(10)}, path, FACTS | {"reason": "interval"})
    diary.files.finish()
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
    diary.files.finish()
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


MIDST = FACTS | {"reason": "interval"}


def state() -> dict[str, Any]:
    """Weights that are tied, a view, a transposed one, an empty one, and what is no tensor."""
    weights = torch.arange(12.0).reshape(3, 4)
    tied = torch.nn.Parameter(weights)
    tensors = {"a": tied, "b": tied, "row": weights[1], "turned": weights.T, "none": torch.zeros(0)}
    return {"tensors": tensors, "step": 3, "half": torch.ones(5, dtype=torch.bfloat16)}


def test_what_is_written_aside_has_the_bytes_of_what_is_written_at_once(path: Path) -> None:
    files, at_once = Diary().files, path.with_name("epoch=0-step=4.ckpt")
    files.save_checkpoint(state(), at_once, FACTS)
    # The second copy goes into the memory of the first.
    for _ in range(2):
        files.save_checkpoint(state(), path, MIDST)
        files.finish()
        assert path.read_bytes() == at_once.read_bytes()


def test_training_changes_nothing_that_is_being_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on, write = threading.Event(), HashingStream.write

    def wait(self: HashingStream, data: bytes) -> int:
        assert goes_on.wait(60)
        return write(self, data)

    monkeypatch.setattr(HashingStream, "write", wait)
    diary, weights = Diary(), torch.zeros(1000)
    diary.files.save_checkpoint({"weights": weights}, path, MIDST)
    weights.add_(1)
    assert (diary.files.newest, diary.entries) == (None, [])
    goes_on.set()
    # The next one waits for it.
    later = path.with_name("epoch=0-step=4.ckpt")
    diary.files.save_checkpoint({"weights": weights}, later, MIDST)
    assert load_plain(path)["weights"].sum() == 0
    diary.files.close()
    assert load_plain(later)["weights"].sum() == 1000


def test_without_memory_for_a_copy_training_waits_and_says_so_once(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = CheckpointFiles(None, lambda: None, lambda _: None, room=lambda: 100)
    for step in range(2):
        each = path.with_name(f"epoch=0-step={step}.ckpt")
        files.save_checkpoint({"weights": torch.zeros(1000)}, each, MIDST)
        assert files.newest == each
    assert capsys.readouterr().err.count("no memory for a copy") == 1
    files.save_checkpoint({"weights": torch.zeros(10)}, path, MIDST)
    files.finish()
    assert (files.newest, files.trouble) == (path, None)


def test_what_could_run_code_ends_training_at_the_next_chance(path: Path) -> None:
    files = Diary().files
    files.save_checkpoint({"mine": os.path.join}, path, MIDST)
    with pytest.raises(PcmError, match="could never be loaded again"):
        files.save_checkpoint({}, path, MIDST)
    assert list(path.parent.iterdir()) == []


def test_what_is_in_flight_when_training_fails_is_kept(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in ({"weights": torch.zeros(10)}, {"mine": os.path.join}):
        files = Diary().files
        files.save_checkpoint(content, path, MIDST)
        files.close()
    assert "could never be loaded again" in capsys.readouterr().err
    assert [manifest.file for manifest in read_manifests(path.parent)] == [path.name]
