"""Files appear whole or not at all, whatever happens to the writer."""

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import atomic_writer, create_json, read_json, write_json, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("durable", [True, False])
def test_write_and_overwrite(folder: Path, durable: bool) -> None:
    path = folder / "a b.txt"
    write_text(path, "first\n", durable=durable)
    write_text(path, "zweite Zeile äöü\n", durable=durable)
    assert path.read_text(encoding="utf-8") == "zweite Zeile äöü\n"
    assert names_in(folder) == ["a b.txt"]


def test_json_comes_back(folder: Path) -> None:
    record = {"a": [1, 2.5, None, True, "ä"], "b": {}}
    write_json(folder / "r.json", record)
    assert read_json(folder / "r.json") == record
    assert (folder / "r.json").read_text().endswith("}\n")


def test_reading_what_is_not_there(folder: Path) -> None:
    assert read_json(folder / "r.json") is None


def test_reading_what_is_broken_is_an_error(folder: Path) -> None:
    (folder / "r.json").write_text('{"a": ')
    with pytest.raises(json.JSONDecodeError):
        read_json(folder / "r.json")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()])
def test_after_an_error_everything_is_as_it_was(folder: Path, error: BaseException) -> None:
    path = folder / "a.txt"
    write_text(path, "before")

    def write_half() -> None:
        with atomic_writer(path) as stream:
            stream.write(b"half of i")
            raise error

    with pytest.raises(type(error)):
        write_half()
    assert path.read_text() == "before"
    assert names_in(folder) == ["a.txt"]


@pytest.mark.parametrize(("named", "told"), [(None, "a.txt"), ("other.txt", "other.txt")])
def test_an_error_names_the_file_that_was_to_be_written(
    folder: Path, named: str | None, told: str
) -> None:
    def write() -> None:
        with atomic_writer(folder / "a.txt"):
            raise OSError(errno.ENOSPC, "No space left", named and str(folder / named))

    with pytest.raises(OSError, match="No space left") as error:
        write()
    assert str(error.value) == f"[Errno {errno.ENOSPC}] No space left: {str(folder / told)!r}"


@pytest.mark.parametrize("write", [write_json, create_json])
def test_where_there_is_no_folder_the_error_names_the_file_too(
    folder: Path, write: Callable[[Path, object], object]
) -> None:
    with pytest.raises(FileNotFoundError) as error:
        write(folder / "gone" / "a.json", {})
    assert error.value.filename == str(folder / "gone" / "a.json")


def test_a_failed_rename_leaves_nothing_behind(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> Path:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="input/output"):
        write_text(folder / "a.txt", "text")
    assert names_in(folder) == []


def test_a_reader_never_sees_half_a_file(folder: Path) -> None:
    path = folder / "a.json"
    write_json(path, {"n": 0, "pad": "x" * 10_000})
    done = threading.Event()
    seen: list[Any] = []

    def read() -> None:
        while not done.is_set():
            seen.append(read_json(path)["n"])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        write_json(path, {"n": number, "pad": "x" * 10_000}, durable=False)
    done.set()
    reader.join()
    assert seen == sorted(seen)


def test_durable_files_are_flushed_with_their_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    flush = os.fsync

    def fsync(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(folder / "a.txt", "x")
    assert len(flushed) == 2
    assert flushed[1] == folder.name
    flushed.clear()
    write_text(folder / "a.txt", "x", durable=False)
    assert flushed == []


def test_the_first_to_create_wins(folder: Path) -> None:
    path = folder / "stop.json"
    assert create_json(path, {"by": "first"}) is True
    assert create_json(path, {"by": "second"}) is False
    assert read_json(path) == {"by": "first"}
    assert names_in(folder) == ["stop.json"]


def test_of_many_creators_one_wins_and_its_record_is_whole(folder: Path) -> None:
    path = folder / "failed.json"
    start = threading.Barrier(8)
    wins: list[int] = []

    def create(rank: int) -> None:
        start.wait()
        if create_json(path, {"rank": rank, "pad": "x" * 5_000}):
            wins.append(rank)

    threads = [threading.Thread(target=create, args=(rank,)) for rank in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wins == [read_json(path)["rank"]]
    assert names_in(folder) == ["failed.json"]


def test_creating_in_no_folder_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        create_json(folder / "missing" / "a.json", {})
    with pytest.raises(FileNotFoundError):
        write_text(folder / "missing" / "a.txt", "")
