"""One rank's shards; those of several are in tests/resume/test_shards.py."""

import errno
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pcm.errors import PcmError
from pcm.rank import insisting
from pcm.run_dir.checkpoints import find_fault, make_room, prune, read_manifests
from pcm.run_dir.shards import StagedShards, shards_folder
from pcm.training.checkpoints.checkpoint_io import CheckpointFiles, Sharded
from pcm.training.checkpoints.sharding import read_shards, read_whole, write_shards

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")

FACTS = {"step": 3, "epoch": 0, "attempt": 2, "reason": "stop", "metrics": {"val/loss": 0.5}}
STATE = {"state_dict": {"weight": torch.arange(6.0)}, "optimizer_0": {"lr": 0.5}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "check points' é" / "epoch=0-step=3.ckpt"


def staged(path: Path) -> StagedShards:
    return write_shards(dict(STATE), path.with_name(f".{path.name}.0.tmp"), None)


def files_of(**hooks: Any) -> CheckpointFiles:
    return CheckpointFiles(None, lambda: None, lambda _: None, **hooks)


def saved(path: Path, files: CheckpointFiles | None = None, **facts: Any) -> None:
    whole = Sharded({"pcm": {}}, staged(path))
    (files or files_of()).save_with_shards(whole, path, FACTS | facts)


def test_what_was_written_is_read_in_part_and_as_a_whole(path: Path) -> None:
    saved(path)
    found: dict[str, Any] = {"state_dict": {"weight": torch.zeros(6)}, "optimizer_0": {"lr": None}}
    read_shards(found, shards_folder(path), None)
    assert found["optimizer_0"] == {"lr": 0.5}
    assert torch.equal(found["state_dict"]["weight"], torch.arange(6.0))
    [(name, weight)] = read_whole(shards_folder(path), "state_dict").items()
    assert (name, weight.tolist()) == ("weight", [0, 1, 2, 3, 4, 5])


def test_the_manifest_speaks_for_each_shard(path: Path) -> None:
    saved(path)
    (manifest,) = read_manifests(path.parent)
    assert manifest.shards is not None
    assert set(manifest.shards) == {".metadata", "__0_0.distcp"}
    assert find_fault(path.parent, manifest) is None
    (shards_folder(path) / "__0_0.distcp").unlink()
    assert find_fault(path.parent, manifest) == "shard __0_0.distcp is missing"
    saved(path)
    (shards_folder(path) / ".metadata").write_bytes(b"")
    assert find_fault(path.parent, manifest) == "shard .metadata has changed since it was written"


def test_a_manifest_leads_nowhere_else(path: Path) -> None:
    saved(path)
    (manifest,) = read_manifests(path.parent)
    away = {f"../{path.name}": manifest.sha256}
    odd = replace(manifest, shards=away)
    assert find_fault(path.parent, odd) == f"shard ../{path.name} is missing"


def test_what_is_pruned_goes_with_its_shards(path: Path) -> None:
    names = [f"epoch=0-step={step}.ckpt" for step in (1, 2, 3, 4)]
    for step, name in enumerate(names, start=1):
        saved(path.with_name(name), step=step, metrics={})
    left = path.with_name(".killed.ckpt.0.tmp")
    left.mkdir()
    prune(path.parent)
    ends = ("", ".json", ".shards")
    assert {each.name for each in path.parent.iterdir()} == {n + e for n in names[2:] for e in ends}
    removed = make_room(path.parent)
    assert removed is not None
    assert {each.name for each in path.parent.iterdir()} == {names[3] + end for end in ends}


def test_an_index_that_names_code_is_not_loaded(path: Path) -> None:
    saved(path)
    (shards_folder(path) / ".metadata").write_bytes(pickle.dumps(print))
    with pytest.raises(PcmError, match=r"names builtins\.print, which may run code"):
        read_whole(shards_folder(path), "state_dict")


def test_another_model_is_told_what_is_missing(path: Path) -> None:
    saved(path)
    wanted = {"state_dict": {"bias": torch.zeros(2)}}
    with pytest.raises(PcmError, match=r"don't fit this training: .*bias"):
        read_shards(wanted, shards_folder(path), None)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_disk(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="rank 0: Not a directory"):
        write_shards(dict(STATE), tmp_path / "file" / "shards", None)


def test_a_full_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insisting, "PAUSES_S", (0.0,))
    tries = []

    def full() -> None:
        tries.append(shards_folder(path).exists())
        raise OSError(errno.ENOSPC, "No space left on device")

    files = CheckpointFiles(None, full, lambda _: None)
    saved(path, files)
    assert files.trouble == "No space left on device"
    assert len(tries) == 2
    assert list(path.parent.iterdir()) == []


def test_shards_wait_for_another_try(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insisting, "PAUSES_S", (0.0,))
    tries = []

    def full_at_first(*_: Any) -> None:
        tries.append(shards_folder(path).exists())
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    files = CheckpointFiles(None, lambda: None, lambda _: None)
    write = CheckpointFiles._write

    def write_and_fail(self: CheckpointFiles, *arguments: Any) -> Any:
        done = write(self, *arguments)
        full_at_first()
        return done

    monkeypatch.setattr(CheckpointFiles, "_write", write_and_fail)
    saved(path, files)
    assert files.trouble is None
    assert tries == [True, True]
    (manifest,) = read_manifests(path.parent)
    assert find_fault(path.parent, manifest) is None
    assert not [*path.parent.glob(".*.tmp")]


def test_training_without_shards_refuses_them(path: Path) -> None:
    saved(path)
    with pytest.raises(PcmError, match="in shards, and `strategy: fsdp2` alone goes on"):
        files_of().load_checkpoint(path)
