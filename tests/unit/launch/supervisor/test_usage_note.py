"""What a real process takes, with a program in the place of the driver's."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.machine.gpu_use import GpuLook
from launch.machine.processes import Process
from launch.supervisor.usage_note import Mean, UsageNote
from pcm.run_dir.records import UsageRecord
from pcm.run_dir.typed_json import read
from tests.local.conftest import wait_for


@pytest.fixture
def training() -> Iterator[Process]:
    """Keeps one core busy, and 100 MB."""
    program = "kept = b'x' * 100_000_000\nwhile True: pass"
    process = subprocess.Popen([sys.executable, "-c", program])
    yield Process.of(process.pid)
    process.kill()
    process.wait()


def noted(path: Path) -> UsageRecord | None:
    record = read(UsageRecord, path)
    assert record is None or isinstance(record, UsageRecord)
    return record


def test_cores_memory_and_gpu_are_noted_while_it_trains(
    training: Process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 87, 40213, 612.10\n")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    path = tmp_path / "usage-0.json"
    note = UsageNote(path, training, GpuLook("0"), interval_s=0.1)

    def is_known() -> UsageRecord | None:
        note.renew()
        record = noted(path)
        known = record is not None and record.gpu_percent is not None and record.memory_mb > 95
        return record if known else None

    record = wait_for(is_known)
    note.close()
    assert record.samples >= 1
    assert 0 < record.cpu_s <= record.seconds * 1.5 + 0.1
    assert record.memory_mb < 200
    gpu = (record.gpu_percent, record.gpu_percent_max, record.gpu_memory_mb, record.gpu_power_w)
    assert gpu == (87, 87, 40213, 612.1)
    assert record.newest is not None
    assert 0 < record.newest.cores < 2
    assert record.newest.memory_mb <= record.memory_mb
    assert record.newest.gpu_power_w == 612.1


def test_between_two_notes_nothing_is_written_but_at_the_end(
    training: Process, tmp_path: Path
) -> None:
    path = tmp_path / "usage-0.json"
    note = UsageNote(path, training)
    note.renew()
    time.sleep(1.05)  # until the first look
    note.renew()
    assert not path.exists()
    note.close()
    record = noted(path)
    assert record is not None
    assert record.samples == 1
    assert record.gpu_percent is None


def test_of_one_that_nobody_could_look_at_nothing_is_noted(tmp_path: Path) -> None:
    process = subprocess.Popen(["true"])
    gone = Process.of(process.pid)
    process.wait()
    note = UsageNote(tmp_path / "usage-0.json", gone, interval_s=0.0)
    note.renew()
    note.close()
    assert list(tmp_path.iterdir()) == []


def test_a_mean_is_over_time() -> None:
    mean = Mean()
    mean.add(None, 100.0)
    assert (mean.mean, mean.greatest) == (None, None)
    mean.add(10.0, 1.0)
    mean.add(50.0, 3.0)
    assert (mean.mean, mean.greatest) == (40.0, 50.0)
