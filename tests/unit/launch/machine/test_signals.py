"""Signals that set flags, wait, or stay ignored."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from launch.machine.signals import (
    PERSON,
    SCHEDULER,
    Received,
    SignalFlag,
    held_back,
    is_one_held_back,
)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    handlers = {each: signal.getsignal(each) for each in SCHEDULER}
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)


def send(number: signal.Signals) -> None:
    # To this thread alone: a library's thread that holds nothing back could take it.
    signal.pthread_kill(threading.get_ident(), number)


def test_signals_are_noted_in_order_and_end_nothing() -> None:
    with SignalFlag(SCHEDULER) as flag:
        assert flag.received == []
        send(signal.SIGTERM)
        send(signal.SIGUSR2)
        send(signal.SIGTERM)
    assert [each.name for each in flag.received] == ["SIGTERM", "SIGUSR2", "SIGTERM"]


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(each) for each in SCHEDULER]
    with SignalFlag(SCHEDULER):
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(each) for each in SCHEDULER] == before


def test_what_nohup_ignores_stays_ignored_and_the_rest_does_not() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with SignalFlag(PERSON) as flag:
        send(signal.SIGHUP)
        send(signal.SIGTERM)
    assert [each.name for each in flag.received] == ["SIGTERM"]


def test_a_signal_that_was_held_back_arrives_afterwards() -> None:
    with SignalFlag(PERSON) as flag:
        with held_back(PERSON):
            send(signal.SIGINT)
            assert flag.received == []
        assert [each.name for each in flag.received] == ["SIGINT"]


def test_a_process_started_meanwhile_does_not_hear_it_until_it_listens() -> None:
    code = (
        "import signal, sys\n"
        "from launch.machine.signals import PERSON, SignalFlag\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "with SignalFlag(PERSON) as flag:\n"
        "    print([each.name for each in flag.received])\n"
    )
    with held_back(PERSON):
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(signal.SIGINT)
    output, _ = child.communicate("go\n", timeout=30)
    assert output == "['SIGINT']\n"
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("received", "is_insisted"),
    [
        ([], False),
        ([("SIGINT", 10.0)], False),
        ([("SIGINT", 10.0), ("SIGINT", 10.5)], False),
        ([("SIGINT", 10.0), ("SIGINT", 12.0)], True),
        ([("SIGTERM", 10.0), ("SIGINT", 12.0)], True),
        ([("SIGINT", 10.0), ("SIGTERM", 12.0), ("SIGHUP", 13.0)], False),
    ],
)
def test_only_a_later_ctrl_c_insists(received: list[tuple[str, float]], is_insisted: bool) -> None:
    flag = SignalFlag(PERSON)
    flag.received = [Received(*each) for each in received]
    assert flag.is_insisted(1.0) is is_insisted


def test_one_that_is_held_back_can_be_asked_for() -> None:
    with SignalFlag(SCHEDULER) as flag:
        with held_back(SCHEDULER):
            assert not is_one_held_back(SCHEDULER)
            send(signal.SIGUSR2)
            assert not is_one_held_back(PERSON)
            assert is_one_held_back(SCHEDULER)
        assert [each.name for each in flag.received] == ["SIGUSR2"]
