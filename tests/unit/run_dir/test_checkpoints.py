import hashlib
from pathlib import Path
from typing import Any

import pytest

from pcm.errors import NotFoundError, PcmError
from pcm.run_dir import read_json, write_json
from pcm.run_dir.checkpointing import Checkpointing, Mode
from pcm.run_dir.checkpoints import (
    Manifest,
    find_checkpoint,
    find_fault,
    make_room,
    manifest_path,
    prune,
    read_manifests,
    write_manifest,
)

CONTENT = b"weights"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "über 'all' \"this\""
    folder.mkdir()
    return folder


def add(folder: Path, step: int, loss: float | None = None, **changes: Any) -> Manifest:
    facts: dict[str, Any] = {
        "file": f"epoch=0-step={step}.ckpt",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "size": len(CONTENT),
        "step": step,
        "epoch": 0,
        "attempt": 1,
        "time": float(step),
        "reason": "epoch",
        "metrics": {} if loss is None else {"val/loss": loss},
    }
    manifest = Manifest(**(facts | changes))
    (folder / manifest.file).write_bytes(CONTENT)
    write_manifest(folder, manifest)
    return manifest


def test_a_manifest_is_read_as_it_was_written(folder: Path) -> None:
    manifest = add(folder, 5, loss=0.25)
    assert read_manifests(folder) == [manifest]
    assert read_json(manifest_path(folder / manifest.file))["reason"] == "epoch"


def test_a_later_attempts_checkpoint_is_newer_whatever_its_step(folder: Path) -> None:
    steps = [add(folder, 9), add(folder, 12), add(folder, 3, attempt=2)]
    assert read_manifests(folder) == [steps[2], steps[1], steps[0]]


def test_what_is_no_manifest_is_left_out_with_a_warning(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = add(folder, 5)
    for name, text in (("a", '{"file": "a'), ("b", "{}"), ("c", "[1]"), ("d", "\xff")):
        (folder / f"{name}.ckpt.json").write_bytes(text.encode("latin-1"))
    assert read_manifests(folder) == [manifest]
    assert capsys.readouterr().err.count("is no manifest") == 4


def test_no_folder_no_checkpoints(folder: Path) -> None:
    assert read_manifests(folder / "gone") == []
    assert find_checkpoint(folder / "gone", None) is None


def test_faults(folder: Path) -> None:
    manifest = add(folder, 5)
    path = folder / manifest.file
    assert find_fault(folder, manifest) is None
    path.write_bytes(b"w" * len(CONTENT))
    assert "content has changed" in str(find_fault(folder, manifest))
    path.write_bytes(CONTENT[:3])
    assert "3 bytes instead of 7" in str(find_fault(folder, manifest))
    path.unlink()
    assert "cannot be read" in str(find_fault(folder, manifest))


def test_the_newest_that_is_whole(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = add(folder, 5), add(folder, 6)
    assert find_checkpoint(folder, None) == folder / new.file
    (folder / new.file).write_bytes(b"")
    assert find_checkpoint(folder, None) == folder / old.file
    assert find_checkpoint(folder, "last") == folder / old.file
    assert new.file in capsys.readouterr().err


@pytest.mark.parametrize("name", ["epoch=0-step=5.ckpt", "epoch=0-step-5.ckpt", "epoch=0-step=5"])
def test_by_name(folder: Path, name: str) -> None:
    wanted = add(folder, 5)
    add(folder, 6)
    assert find_checkpoint(folder, name) == folder / wanted.file


def test_a_named_one_is_never_replaced_by_another(folder: Path) -> None:
    add(folder, 5)
    broken = add(folder, 6, loss=0.1)
    (folder / broken.file).write_bytes(b"")
    for name in (broken.file, "best"):
        with pytest.raises(PcmError, match="is not whole") as caught:
            find_checkpoint(folder, name)
        assert "--checkpoint last" in str(caught.value)


@pytest.mark.parametrize("name", ["best", "last", "epoch=7-step=7.ckpt", "../5.ckpt"])
def test_not_found_says_what_there_is(folder: Path, name: str) -> None:
    with pytest.raises(NotFoundError, match="none at all"):
        find_checkpoint(folder, name)


def test_best_is_the_smallest_validation_loss(folder: Path) -> None:
    add(folder, 1, loss=float("nan"))
    best = add(folder, 2, loss=0.5)
    add(folder, 3, loss=0.7)
    add(folder, 4)
    assert find_checkpoint(folder, "best") == folder / best.file


def test_a_users_own_name_of_the_loss(folder: Path) -> None:
    best = add(folder, 2, metrics={"val_loss": 0.5, "acc": 0.1})
    assert find_checkpoint(folder, "best") == folder / best.file


def test_prune_keeps_two_and_the_best(folder: Path) -> None:
    for step, loss in enumerate((0.9, 0.1, 0.8, 0.7, 0.6)):
        add(folder, step, loss=loss)
    leftover = folder / ".epoch=0-step=9.ckpt.abc.tmp"
    leftover.write_bytes(b"half")
    (folder / "notes.txt").write_text("mine")
    prune(folder)
    assert [manifest.step for manifest in read_manifests(folder)] == [4, 3, 1]
    names = {path.name for path in folder.iterdir()}
    assert leftover.name not in names
    assert "notes.txt" in names
    assert "epoch=0-step=0.ckpt" not in names


@pytest.mark.parametrize("file", ["../../precious", "epoch=0-step=2.ckpt", "/etc/passwd", ""])
def test_a_manifest_speaks_for_its_own_file_alone(
    folder: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    precious = folder.parents[1] / "precious"
    precious.write_text("mine")
    for step in (1, 2, 3, 4):
        add(folder, step)
    forged = manifest_path(folder / "epoch=0-step=1.ckpt")
    write_json(forged, {**read_json(forged), "file": file})
    assert [manifest.step for manifest in read_manifests(folder)] == [4, 3, 2]
    assert "tells of another file" in capsys.readouterr().err
    prune(folder)
    assert precious.read_text() == "mine"
    assert (folder / "epoch=0-step=4.ckpt").exists()
    assert (folder / "epoch=0-step=3.ckpt").exists()


def test_best_by_a_metric_of_ones_own(folder: Path) -> None:
    for step, accuracy in enumerate((0.3, 0.9, float("nan"), 0.7)):
        add(folder, step, metrics={"val/acc": accuracy, "val/loss": float(step)})
    wanted = Checkpointing(monitor="val/acc", mode=Mode.MAX)
    assert find_checkpoint(folder, "best", wanted) == folder / "epoch=0-step=1.ckpt"
    assert find_checkpoint(folder, "best") == folder / "epoch=0-step=0.ckpt"
    with pytest.raises(NotFoundError, match="one with val/f1"):
        find_checkpoint(folder, "best", Checkpointing(monitor="val/f1"))


def test_prune_keeps_as_many_as_it_is_told(folder: Path) -> None:
    for step, accuracy in enumerate((0.3, 0.9, 0.8, 0.1, 0.2, 0.0)):
        add(folder, step, metrics={"val/acc": accuracy})
    wanted = Checkpointing(keep=1, monitor="val/acc", mode=Mode.MAX, keep_best=2)
    prune(folder, wanted)
    assert [manifest.step for manifest in read_manifests(folder)] == [5, 2, 1]
    prune(folder, Checkpointing(keep=1, keep_best=0))
    assert [manifest.step for manifest in read_manifests(folder)] == [5]


def test_room_is_made_of_the_oldest_that_nobody_needs(folder: Path) -> None:
    for step, loss in enumerate((0.9, 0.1, 0.8, 0.7)):
        add(folder, step, loss=loss)
    (folder / "epoch=0-step=3.ckpt").write_bytes(b"torn")
    removed = [make_room(folder) for _ in range(3)]
    # The newest is not whole, so the one before is what training would go on from.
    assert [each and each.step for each in removed] == [0, 3, None]
    assert [manifest.step for manifest in read_manifests(folder)] == [2, 1]


def test_a_callbacks_own_checkpoints_are_neither_resumed_from_nor_removed(folder: Path) -> None:
    own = {"attempt": 0, "reason": "user"}
    add(folder, 0, loss=0.1, file="mine.ckpt", **own)
    assert find_checkpoint(folder, None) is None
    with pytest.raises(NotFoundError, match="a callback of your own"):
        find_checkpoint(folder, "mine")
    for step in range(1, 6):
        add(folder, step, loss=1.0)
    prune(folder)
    make_room(folder)
    assert (folder / "mine.ckpt").exists()
    assert find_checkpoint(folder, "best") != folder / "mine.ckpt"
