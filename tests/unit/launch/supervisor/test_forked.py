"""A process that was forked before it was wanted: when it may stand in for a fresh one."""

import os
import signal
import socket
from pathlib import Path

import pytest

from launch.supervisor.forked import Waiting, fork_waiting
from pcm.nursery.orders import Orders, open_files

LOADED_WITH = {"OMP_NUM_THREADS": "2", "HOME": "/home/me"}


@pytest.mark.parametrize(
    ("others", "culprit"),
    [
        ({"RANK": "3", "CUDA_VISIBLE_DEVICES": "1"}, None),
        ({"OMP_NUM_THREADS": "4"}, "OMP_NUM_THREADS"),
        ({"MKL_CBWR": "COMPATIBLE"}, "MKL_CBWR"),
    ],
)
def test_only_what_is_read_late_may_differ(others: dict[str, str], culprit: str | None) -> None:
    with socket.socket() as channel:
        objection = Waiting(1, channel, LOADED_WITH).objection(LOADED_WITH | others)
    assert objection == (culprit and f"{culprit} is not what torch was loaded with")


def fork(lock: Path) -> Waiting:
    """One that does nothing but tell what it is, while its supervisor holds a file open."""
    kept = open_files()
    held = os.open(lock, os.O_CREAT)
    found = fork_waiting(lambda: None, kept, {})
    if isinstance(found, Orders):
        others = len(open_files() - kept)
        is_leader = os.getsid(0) == os.getpid()
        text = f"{found.arguments} {dict(os.environ)} {others} {is_leader}"
        os.write(1, text.encode())
        os._exit(7)
    os.close(held)
    return found


def test_it_follows_orders_in_a_session_of_its_own(tmp_path: Path) -> None:
    waiting, log = fork(tmp_path / "lock"), tmp_path / "log"
    assert waiting.begin(["RUN"], {"RANK": "0"}, log)
    assert waiting.wait() == 7
    assert log.read_text() == "['RUN'] {'RANK': '0'} 0 True"
    assert log.stat().st_mode & 0o777 == 0o600


def test_who_is_not_wanted_or_was_killed_does_nothing(tmp_path: Path) -> None:
    fork(tmp_path / "lock").dismiss()
    killed = fork(tmp_path / "lock")
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    killed.channel.setblocking(False)
    assert not killed.begin(["RUN"], {}, tmp_path / "log")
    assert not (tmp_path / "log").exists()
