import os
import signal
import threading
from pathlib import Path

import pytest

from pcm.rank.stop import StopRequest, ignored_signals, signals_as_request
from pcm.run_dir import AttemptDir, create_json, read_json, write_text


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    folder = tmp_path / 'it\'s a "run" é' / "1"
    folder.mkdir(parents=True)
    return AttemptDir(folder)


def test_the_thread_sees_the_file(attempt: AttemptDir) -> None:
    with StopRequest(attempt, period=0.01) as stop:
        create_json(attempt.stop, {"reason": "preempted"})
        assert stop._asked.wait(10)
        assert stop.is_asked
        assert stop.reason == "preempted"


def test_looking_needs_no_thread(attempt: AttemptDir) -> None:
    stop = StopRequest(attempt)
    assert not stop.look()
    create_json(attempt.stop, {"reason": "cancel"})
    assert not stop.is_asked
    assert stop.look()
    assert stop.is_asked


def test_the_thread_ends_with_the_block(attempt: AttemptDir) -> None:
    before = threading.active_count()
    with StopRequest(attempt, period=60):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before


@pytest.mark.parametrize("content", ['"stop"', "{}"])
def test_a_request_without_a_reason_is_an_interrupt(attempt: AttemptDir, content: str) -> None:
    write_text(attempt.stop, content)
    assert StopRequest(attempt).reason == "interrupt"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_is_a_request(attempt: AttemptDir, number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals_as_request(attempt):
        os.kill(os.getpid(), number)
    assert read_json(attempt.stop)["by"] == number.name
    assert signal.getsignal(number) == before


def test_a_second_ctrl_c_interrupts(attempt: AttemptDir) -> None:
    with signals_as_request(attempt):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_supervised_signals_do_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ignored_signals():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(os.getpid(), number)
    assert signal.getsignal(signal.SIGTERM) == before
