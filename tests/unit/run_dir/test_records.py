"""The records of an attempt: read as written, and damage told rather than raised."""

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from pcm.run_dir import read_json
from pcm.run_dir.attempt_records import (
    AttemptRecord,
    ProgressRecord,
    StoppedRecord,
    StopReason,
    StopRecord,
    VerdictRecord,
)
from pcm.run_dir.records import ErrorRecord, FailureRecord, FinishedRecord, OutcomeRecord
from pcm.run_dir.typed_json import Damaged, create, plain, read, write

RECORDS: list[Any] = [
    AttemptRecord(number=3, key="k-0", executor="slurm", job_id="7_1", pid=4, command=["a", "b"]),
    StopRecord("SIGTERM", StopReason.PREEMPTED, 1.5),
    StoppedRecord(None, 4, 1, StopReason.CANCEL),
    FinishedRecord(4, 1, {"val/loss": 0.5}),
    OutcomeRecord(signal="SIGKILL", is_silent=True, message="gone"),
    FailureRecord(1, exit_code=1),
    ErrorRecord("ValueError", "é", "Traceback", 0),
    VerdictRecord("preempted", comes_back=True),
    ProgressRecord(phase="training", step=3, loss=0.5),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a 'record'.json"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_is_read_as_it_was_written(file: Path, record: Any) -> None:
    write(file, record)
    assert read(type(record), file) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_older_and_newer_files_read(file: Path, record: Any) -> None:
    needed = {
        each.name: getattr(record, each.name)
        for each in fields(record)
        if each.default is MISSING and each.default_factory is MISSING
    }
    file.write_text(json.dumps(needed | {"of a later version": [1]}))
    assert read(type(record), file) == type(record)(**needed)


def test_no_file_is_no_damage(file: Path) -> None:
    assert read(StopRecord, file) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON"),
        (b'{"step": 3, "ep', "no JSON"),
        (b"\xff\xfe\x00garbage", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b'{"a":' * 100_000, "no JSON"),
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
        (b'{"checkpoint": null, "epoch": 1}', "it has no 'step'"),
        (b'{"checkpoint": null, "step": "3", "epoch": 1}', "its 'step' is of another type"),
        (b'{"checkpoint": null, "step": true, "epoch": 1}', "its 'step' is of another type"),
        (b'{"checkpoint": 1, "step": 3, "epoch": 1}', "its 'checkpoint' is of another type"),
        (
            b'{"checkpoint": null, "step": 3, "epoch": 1, "reason": "mood"}',
            "its 'reason' is of another type",
        ),
    ],
)
def test_damage_is_a_value(file: Path, content: bytes, reason: str) -> None:
    file.write_bytes(content)
    damaged = read(StoppedRecord, file)
    assert isinstance(damaged, Damaged)
    assert reason in damaged.reason
    assert str(file) in str(damaged)


@pytest.mark.parametrize("metrics", [{"loss": "low"}, [1.0]])
def test_what_is_inside_has_types_too(file: Path, metrics: Any) -> None:
    file.write_text(json.dumps({"step": 1, "epoch": 0, "metrics": metrics}))
    assert isinstance(read(FinishedRecord, file), Damaged)


def test_a_whole_number_is_a_number(file: Path) -> None:
    file.write_text('{"by": "x", "time": 5}')
    record = read(StopRecord, file)
    assert isinstance(record, StopRecord)
    assert type(record.time) is float


def test_a_folder_in_its_place_is_damage(file: Path) -> None:
    file.mkdir()
    assert isinstance(read(StopRecord, file), Damaged)


def test_what_an_attempt_by_hand_has_not_is_not_written(file: Path) -> None:
    write(file, AttemptRecord(number=1, executor="hand"))
    written = read_json(file)
    assert written["job_id"] is None
    assert not {"threads", "code_digest", "mount"} & written.keys()


def test_the_first_to_create_a_record_wins(file: Path) -> None:
    assert create(file, StopRecord("first"))
    assert not create(file, StopRecord("second"))
    assert read_json(file)["by"] == "first"


def test_json_of_any_depth_is_no_crash(file: Path) -> None:
    file.write_bytes(b"[" * 100_000)
    with pytest.raises(ValueError, match=r"deep|Expecting"):
        read_json(file)


def test_a_stop_that_was_saved_has_lost_nothing(folder: Path) -> None:
    record = StoppedRecord("a.ckpt", 8, 1)
    assert record.loss == ""
    assert "saved_step" not in plain(record)
    lossy = StoppedRecord("a.ckpt", 8, 1, saved_step=4, unsaved="Input/output error")
    assert lossy.loss == "step 8 is lost, back to step 4: Input/output error"
    write(folder / "stopped.json", lossy)
    assert read(StoppedRecord, folder / "stopped.json") == lossy
