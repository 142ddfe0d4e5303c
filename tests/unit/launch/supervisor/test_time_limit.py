"""The clock of our own, with a Slurm that says when a job's time is over."""

import time

import pytest

from launch.slurm.controller import JobFacts
from launch.supervisor import time_limit as module
from launch.supervisor.time_limit import LEAD_S, TimeLimit


def ending_in(seconds: float | None) -> JobFacts:
    ends = None if seconds is None else time.time() + seconds
    return JobFacts("RUNNING", "None", 0, is_preempted=False, ends=ends, memory=None)


@pytest.fixture
def extended_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """By how much the limit was extended in the meantime; empty where Slurm doesn't answer."""
    seconds: list[float] = []

    def read_end(_job_id: str, _patience_s: float) -> float | None:
        return time.time() + seconds[0] if seconds else None

    monkeypatch.setattr(module, "read_end", read_end)
    return seconds


@pytest.mark.parametrize("left_s", [None, 3 * LEAD_S])
def test_there_is_time(left_s: float | None, extended_s: list[float]) -> None:
    assert not TimeLimit("7_0", ending_in(left_s)).is_near
    assert not TimeLimit("7_0", None).is_near
    assert extended_s == []


def test_a_short_job_has_half_of_its_time(
    extended_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = TimeLimit("7_0", ending_in(60))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 29)
    assert not limit.is_near
    monkeypatch.setattr(time, "time", lambda: now + 31)
    assert limit.is_near


def test_a_limit_that_was_extended(
    extended_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = TimeLimit("7_0", ending_in(60))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 31)
    extended_s.append(600)
    assert not limit.is_near
