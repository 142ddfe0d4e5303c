"""Processes that live, die and give their ids away."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launch.machine.processes import (
    Process,
    descendants,
    kill_group,
    kill_tree,
    wait_for_an_end,
)

SLEEP = "import time; time.sleep(60)"
FAMILY = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True)
subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print("ready", flush=True)
time.sleep(60)
"""


def start(code: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )


@pytest.fixture
def family() -> Iterator["subprocess.Popen[bytes]"]:
    """A process with a child in its session and one in another."""
    process = start(FAMILY)
    assert process.stdout is not None
    process.stdout.readline()
    members = psutil.Process(process.pid).children(recursive=True)
    yield process
    for member in members:
        if member.is_running():
            member.kill()
    process.kill()
    process.communicate()


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_calling_process_lives_and_survives_a_record() -> None:
    me = Process.current()
    assert me.is_local
    assert me.is_alive
    assert Process.from_record(me.record()) == me


def test_a_prefix_tells_processes_of_one_record_apart() -> None:
    record = {"host": "h", "pid": 1, "child_pid": 2, "child_process_started": "s"}
    assert Process.from_record(record, "child_") == Process("h", 2, "s")
    assert Process.from_record(record) is None


@pytest.mark.parametrize("record", [{}, {"host": "h", "pid": "x", "process_started": "1"}])
def test_a_record_without_a_process_has_none(record: dict[str, object]) -> None:
    assert Process.from_record(record) is None


def test_an_id_with_another_start_is_another_process() -> None:
    me = Process.current()
    assert not Process(me.host, me.pid, "1").is_alive
    assert Process(me.host, me.pid, "").is_alive


def test_a_zombie_does_not_live() -> None:
    child = start("pass")
    process = Process.of(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not process.is_alive
    child.communicate()
    assert not process.is_alive


def test_a_name_that_looks_like_fields_is_no_problem(tmp_path: Path) -> None:
    odd = tmp_path / ") S 1 ("
    odd.symlink_to(sys.executable)
    child = subprocess.Popen([odd, "-c", SLEEP])
    assert Process.of(child.pid).is_alive
    assert child.pid in descendants(os.getpid())
    child.kill()
    child.wait()


def test_descendants_are_found_across_sessions(family: "subprocess.Popen[bytes]") -> None:
    assert len(descendants(family.pid)) == 2
    assert set(descendants(family.pid)) < set(descendants(os.getpid()))


def test_a_tree_is_killed_as_a_whole(family: "subprocess.Popen[bytes]") -> None:
    members = [family.pid, *descendants(family.pid)]
    kill_tree(family.pid)
    assert not [pid for pid in members if is_running(pid)]


def test_killing_what_is_gone_is_no_error() -> None:
    child = start("pass")
    gone = Process.of(child.pid)
    child.communicate()
    kill_tree(child.pid)
    kill_group(gone)


def test_a_group_is_killed_after_its_leader(family: "subprocess.Popen[bytes]") -> None:
    leader = Process.of(family.pid)
    inside = [pid for pid in descendants(family.pid) if os.getpgid(pid) == family.pid]
    [outside] = set(descendants(family.pid)) - set(inside)
    family.kill()
    family.wait()
    assert is_running(inside[0])
    kill_group(leader)
    deadline = time.monotonic() + 5
    while is_running(inside[0]) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(inside[0])
    assert is_running(outside)


def test_a_group_whose_number_was_given_away_is_left_alone() -> None:
    child = start(SLEEP)
    now = Process.of(child.pid)
    kill_group(Process(now.host, now.pid, "1"))
    assert now.is_alive
    child.kill()
    child.communicate()


def test_an_end_is_not_slept_over() -> None:
    sleep = subprocess.Popen(["sleep", "60"])
    with sleep as other, subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat:
        begun = time.monotonic()
        wait_for_an_end([other.pid, cat.pid], 0.1)
        assert time.monotonic() - begun > 0.09
        assert cat.stdin is not None
        cat.stdin.close()
        wait_for_an_end([other.pid, cat.pid], 30.0)
        other.kill()
    wait_for_an_end([cat.pid], 30.0)
    assert time.monotonic() - begun < 30.0
