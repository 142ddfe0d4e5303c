"""How training hears of a stop, and of its supervisor's silence and end."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from launch.supervisor.training import TrainingProcess
from pcm.run_dir import AttemptDir, create_json
from pcm.run_dir.line import ALIVE, LINE, STOP, line_text
from pcm.training import supervisor_line as module
from pcm.training.stop import StopRequest
from pcm.training.supervisor_line import SupervisorLine, supervisor_line
from tests.local.conftest import wait_for

PERIOD = 0.01


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    return AttemptDir(tmp_path)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, SupervisorLine]]:
    """A supervisor's, and training's."""
    ours, its = socket.socketpair()
    with ours, its:
        environment = {LINE: line_text(its.fileno())}
        line = supervisor_line(environment)
        assert line is not None
        assert environment == {}
        yield ours, line
        its.detach()


Ends = tuple[socket.socket, SupervisorLine]


@pytest.fixture
def looks(attempt: AttemptDir, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When the stop file was looked for."""
    times: list[float] = []
    exists = Path.exists

    def note(path: Path) -> bool:
        if path == attempt.stop:
            times.append(time.monotonic())
        return exists(path)

    monkeypatch.setattr(Path, "exists", note)
    return times


def test_while_the_supervisor_talks_no_file_is_looked_for(
    attempt: AttemptDir, ends: Ends, looks: list[float]
) -> None:
    supervisor, line = ends
    with StopRequest(attempt, PERIOD, line) as stop:
        wait_for(lambda: looks)
        create_json(attempt.stop, {"reason": "cancel"})
        for _ in range(20):
            supervisor.sendall(ALIVE)
            time.sleep(PERIOD)
        assert not stop.is_asked
        assert len(looks) == 1
        supervisor.sendall(ALIVE + STOP)
        wait_for(lambda: stop.is_asked)
    assert stop.reason == "cancel"


def test_who_is_told_before_the_file_is_to_be_seen_goes_on_looking(
    attempt: AttemptDir, ends: Ends, looks: list[float]
) -> None:
    supervisor, line = ends
    with StopRequest(attempt, PERIOD, line) as stop:
        supervisor.sendall(STOP)
        wait_for(lambda: len(looks) > 5)
        create_json(attempt.stop, {})
        wait_for(lambda: stop.is_asked)


@pytest.mark.parametrize("is_gone", [True, False])
def test_without_its_supervisor_training_looks_itself(
    attempt: AttemptDir, ends: Ends, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool
) -> None:
    supervisor, line = ends
    monkeypatch.setattr(module, "SILENCE_S", 0.05)
    with StopRequest(attempt, PERIOD, line) as stop:
        if is_gone:
            supervisor.close()
        create_json(attempt.stop, {})
        wait_for(lambda: stop.is_asked)


def test_the_thread_ends_with_the_block(attempt: AttemptDir, ends: Ends) -> None:
    begun = time.monotonic()
    with StopRequest(attempt, period=60, line=ends[1]):
        pass
    assert time.monotonic() < begun + 4


@pytest.mark.parametrize("text", ["", "nonsense", "-1 5", "99999 5", "0 1", "1 "])
def test_what_is_no_line_is_left_alone(text: str) -> None:
    assert supervisor_line({LINE: text}) is None


def test_a_number_that_was_used_again_is_left_alone() -> None:
    ours, its = socket.socketpair()
    with ours, its:
        text = line_text(ours.fileno()).split()[0] + " " + line_text(its.fileno()).split()[1]
        assert supervisor_line({LINE: text}) is None


def test_a_training_process_gets_its_line(tmp_path: Path) -> None:
    code = (
        "import os\n"
        "from pathlib import Path\n"
        "from pcm.run_dir import AttemptDir\n"
        "from pcm.training.stop import StopRequest\n"
        "from pcm.training.supervisor_line import supervisor_line\n"
        "line = supervisor_line(os.environ)\n"
        "assert line is not None\n"
        f"with StopRequest(AttemptDir(Path({str(tmp_path)!r})), 60, line) as stop:\n"
        "    print(stop._asked.wait(30))\n"
    )
    log = tmp_path / "log"
    training = TrainingProcess([sys.executable, "-u", "-c", code], dict(os.environ), log)
    create_json(AttemptDir(tmp_path).stop, {})

    def outcome() -> object:
        training.tell(is_asked_to_stop=True)
        return training.poll()

    wait_for(outcome)
    assert log.read_text() == "True\n"
    training.tell(is_asked_to_stop=True)
