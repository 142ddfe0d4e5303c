"""How training hears of a stop, and of its supervisor's silence and end."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from launch.machine.listening import Listener
from pcm.rank import supervisor_line as module
from pcm.rank.stop import StopRequest
from pcm.rank.supervisor_line import SupervisorLine
from pcm.run_dir import AttemptDir, create_json
from pcm.run_dir.line import ALIVE, STOP, line_of
from tests.local.conftest import wait_for

PERIOD = 0.01

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets without a file")


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    return AttemptDir(tmp_path)


@pytest.fixture
def supervisor(attempt: AttemptDir) -> Iterator[Listener]:
    with closing(Listener(line_of(attempt.path, 3))) as listener:
        assert listener.is_open
        yield listener


def request(attempt: AttemptDir, period: float = PERIOD) -> StopRequest:
    return StopRequest(attempt, period, SupervisorLine(line_of(attempt.path, 3)))


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
    attempt: AttemptDir, supervisor: Listener, looks: list[float]
) -> None:
    with request(attempt) as stop:
        wait_for(lambda: looks)
        create_json(attempt.stop, {"reason": "cancel"})
        for _ in range(20):
            supervisor.tell(ALIVE)
            time.sleep(PERIOD)
        assert not stop.is_asked
        assert len(looks) == 1
        supervisor.tell(ALIVE + STOP)
        wait_for(lambda: stop.is_asked)
    assert stop.reason == "cancel"


def test_who_is_told_before_the_file_is_to_be_seen_goes_on_looking(
    attempt: AttemptDir, supervisor: Listener, looks: list[float]
) -> None:
    with request(attempt) as stop:

        def has_looked() -> bool:
            supervisor.tell(ALIVE + STOP)
            return len(looks) > 5

        wait_for(has_looked)
        create_json(attempt.stop, {})
        wait_for(lambda: stop.is_asked)


@pytest.mark.parametrize("is_gone", [True, False])
def test_without_its_supervisor_training_looks_itself(
    attempt: AttemptDir, supervisor: Listener, monkeypatch: pytest.MonkeyPatch, *, is_gone: bool
) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.05)
    with request(attempt) as stop:
        if is_gone:
            supervisor.close()
        create_json(attempt.stop, {})
        wait_for(lambda: stop.is_asked)


def test_one_that_is_late_is_heard_all_the_same(attempt: AttemptDir, looks: list[float]) -> None:
    with request(attempt) as stop:
        wait_for(lambda: len(looks) > 3)
        with closing(Listener(line_of(attempt.path, 3))) as supervisor:
            for _ in range(10):
                supervisor.tell(ALIVE)
                time.sleep(PERIOD)
            before = len(looks)
            for _ in range(10):
                supervisor.tell(ALIVE)
                time.sleep(PERIOD)
            assert len(looks) == before
            assert not stop.is_asked
        wait_for(lambda: len(looks) > before + 3)


@pytest.mark.parametrize("is_there", [True, False])
def test_the_thread_ends_with_the_block(attempt: AttemptDir, *, is_there: bool) -> None:
    begun = time.monotonic()
    listener = Listener(line_of(attempt.path, 3)) if is_there else None
    with request(attempt, period=60):
        pass
    if listener is not None:
        listener.close()
    assert time.monotonic() < begun + 4


def test_a_stranger_is_not_believed(
    attempt: AttemptDir, supervisor: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = os.getuid()
    # The kernel goes on telling who it is, and this process takes itself for another one.
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    assert not SupervisorLine(line_of(attempt.path, 3)).listen(PERIOD)


def test_each_rank_of_each_attempt_has_a_line_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        folder.mkdir()
    assert len({line_of(folder, rank) for folder in folders for rank in range(3)}) == 6
    former = line_of(folders[0], 0)
    folders[0].rename(tmp_path / "3")
    (tmp_path / "1").mkdir()
    assert line_of(folders[0], 0) != former
