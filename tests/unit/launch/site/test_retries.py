"""What comes back by itself, as resources say it."""

from typing import Any

import pytest

from launch.site import Resources
from launch.site.resources import parse_resources
from launch.site.retries import OutOfMemoryRetries, Retries, parse_retry


def test_nothing_said_is_no_retry() -> None:
    assert Retries.of({}) == Retries(failures=0, out_of_memory=None)


def test_all_said() -> None:
    entries = {"retries": 2, "retry": {"oom": {"mem_factor": 2, "max": 3}}}
    resources, faults = parse_resources(entries)
    assert faults == []
    assert Retries.of(resources.given()) == Retries(2, OutOfMemoryRetries(3, 2.0))
    assert len({resources, Resources(retries=2)}) == 2


@pytest.mark.parametrize("value", [{"oom": None}, {"oom": {}}])
def test_a_bare_reason_means_once(value: Any) -> None:
    assert parse_retry(value) == {"oom": {"mem_factor": 1.5, "max": 1}}


@pytest.mark.parametrize(
    "value",
    [
        3,
        ["oom"],
        {"out_of_memory": {}},
        {"oom": 2},
        {"oom": {"factor": 2}},
        {"oom": {"mem_factor": 1}},
        {"oom": {"mem_factor": "2"}},
        {"oom": {"mem_factor": 1000}},
        {"oom": {"max": -1}},
        {"oom": {"max": True}},
    ],
)
def test_what_is_no_retry(value: Any) -> None:
    _, faults = parse_resources({"retry": value})
    [fault] = faults
    assert fault.key == "retry"
    assert "mem_factor" in (fault.expected or "")
