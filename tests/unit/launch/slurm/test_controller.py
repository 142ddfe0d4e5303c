"""What scontrol prints, as data."""

import os
import stat
import sys
from datetime import datetime
from pathlib import Path

import pytest

from launch.slurm import controller as module
from launch.slurm.controller import node_address, parse_job, read_job, scontrol

LINE = (
    "JobId=3 ArrayJobId=3 ArrayTaskId=0 JobName=JobState=odd name UserId=a(1001) JobState=RUNNING"
    " Reason=None Dependency=(null) Requeue=1 Restarts=2 RunTime=00:00:02 TimeLimit=00:01:00"
    " StartTime=2026-11-23T12:56:46 EndTime=2026-11-23T12:57:46 PreemptTime=2026-11-23T12:56:48"
    " MinMemoryNode=1.50G Command=(null)\n"
)


def test_a_preempted_job() -> None:
    facts = parse_job(LINE)
    assert facts is not None
    assert (facts.state, facts.reason, facts.restarts) == ("RUNNING", "None", 2)
    assert facts.is_preempted
    assert facts.ends == datetime(2026, 11, 23, 12, 57, 46).timestamp()
    assert facts.memory == ("MinMemoryNode", 1536)


@pytest.mark.parametrize(
    ("state", "ends", "grace_s", "is_its_end"),
    [
        ("RUNNING", "12:57:46", 10.0, False),
        ("PREEMPTED", "12:56:49", 10.0, True),
        # Without a grace time, or when that is over; a person's scancel comes between.
        ("COMPLETING", "12:56:48", None, True),
        ("COMPLETING", "12:56:58", 10.0, True),
        ("COMPLETING", "12:56:50", 10.0, False),
        ("CANCELLED", "12:56:50", 10.0, False),
    ],
)
def test_whether_the_preemption_ended_it(
    state: str, ends: str, grace_s: float | None, *, is_its_end: bool
) -> None:
    line = LINE.replace("=RUNNING", f"={state}").replace("12:57:46", ends)
    facts = parse_job(line, lambda _: grace_s)
    assert facts is not None
    assert facts.is_preemption_its_end is is_its_end


def test_a_job_that_slurm_does_not_send_back() -> None:
    facts = [parse_job(LINE), parse_job(LINE.replace("Requeue=1", "Requeue=0"))]
    assert [each is not None and each.is_requeueable for each in facts] == [True, False]


@pytest.mark.parametrize("nothing", ["None", "N/A", "Unknown"])
def test_times_that_are_none(nothing: str) -> None:
    line = LINE.replace("2026-11-23T12:56:48", nothing).replace("2026-11-23T12:57:46", nothing)
    facts = parse_job(line)
    assert facts is not None
    assert not facts.is_preempted
    assert facts.ends is None


@pytest.mark.parametrize(
    ("request_", "memory"),
    [
        ("MinMemoryCPU=200M", ("MinMemoryCPU", 200)),
        ("MinMemoryNode=2T", ("MinMemoryNode", 2 * 1024 * 1024)),
        ("MinMemoryNode=0", None),
        ("MinMemoryNode=odd", None),
    ],
)
def test_requests_for_memory(request_: str, memory: tuple[str, int] | None) -> None:
    facts = parse_job(LINE.replace("MinMemoryNode=1.50G", request_))
    assert facts is not None
    assert facts.memory == memory


@pytest.mark.parametrize("text", ["", "\n", "No jobs in the system"])
def test_no_job(text: str) -> None:
    assert parse_job(text) is None


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scontrol that prints its arguments and fails as often as a file says."""
    script = tmp_path / "scontrol"
    script.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        f"left = pathlib.Path({str(tmp_path / 'failures')!r})\n"
        "count = int(left.read_text())\n"
        "left.write_text(str(count - 1))\n"
        "print(*(f'NodeAddr={word}' for word in sys.argv[-1:]))\n"
        "sys.exit(count > 0)\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "failures").write_text("0")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    return tmp_path / "failures"


@pytest.mark.usefixtures("fake")
def test_the_address_of_a_node() -> None:
    assert node_address("n1") == "n1"


def test_a_controller_that_is_away_for_a_moment(fake: Path) -> None:
    fake.write_text("2")
    assert scontrol("requeue", "3_1") == "NodeAddr=3_1\n"


def test_a_controller_that_stays_away(fake: Path) -> None:
    fake.write_text("99")
    assert read_job("3_1") is None
    assert fake.read_text() == str(99 - module.ATTEMPTS)


def test_no_slurm_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "PAUSE_S", 0.01)
    assert read_job("3") is None
    assert node_address("n1") is None
