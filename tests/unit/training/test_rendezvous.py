import threading
import time
from pathlib import Path

import pytest

from pcm.errors import PcmError, UsageError
from pcm.rank.ranks import Ranks
from pcm.rank.settings import checkpoint_minutes, collective_seconds, minutes
from pcm.rank.stop import StopRequest
from pcm.run_dir import AttemptDir, create_json, read_json, write_json
from pcm.run_dir.checkpointing import Checkpointing
from pcm.run_dir.records import RendezvousRecord
from pcm.run_dir.typed_json import read
from pcm.training.rendezvous import StoppedWhileMeetingError, _join, _receive

FIRST, SECOND = (Ranks(rank, 2, rank, 2, is_supervised=True) for rank in (0, 1))


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    (tmp_path / "3").mkdir()
    return AttemptDir(tmp_path / "3")


class Receiver(threading.Thread):
    """Rank 0, beside the test's own rank 1."""

    def __init__(self, attempt: AttemptDir, stop: StopRequest, name: str = "abc/3") -> None:
        super().__init__()
        self._arguments = (FIRST, attempt, name, time.monotonic() + 30, stop)
        self.result: object = None
        self.start()

    def run(self) -> None:
        try:
            self.result = _receive(*self._arguments)
        except Exception as error:
            self.result = error


def soon() -> float:
    return time.monotonic() + 30


def test_ranks_meet_at_a_published_place(attempt: AttemptDir) -> None:
    receiver = Receiver(attempt, StopRequest(attempt))
    store = _join(SECOND, attempt, "abc/3", soon())
    receiver.join(30)
    store.set("key", "value")
    assert receiver.result.get("key") == b"value"  # type: ignore[attr-defined]
    place = read_json(attempt.rendezvous)
    assert place["experiment"] == "abc"
    assert place["attempt"] == 3
    assert place["port"] > 0


def test_another_experiments_store_is_noticed(attempt: AttemptDir) -> None:
    stop = StopRequest(attempt)
    receiver = Receiver(attempt, stop, name="other/7")
    with pytest.raises(PcmError, match="rank 1 of abc/3 reached other/7"):
        _join(SECOND, attempt, "abc/3", soon())
    create_json(attempt.stop, {})
    stop.look()
    receiver.join(30)
    assert isinstance(receiver.result, StoppedWhileMeetingError)


def test_a_stop_sends_away_who_has_come(attempt: AttemptDir) -> None:
    stop = StopRequest(attempt)
    create_json(attempt.stop, {"reason": "cancel"})
    receiver = Receiver(attempt, stop)
    joined: list[object] = []

    def join() -> None:
        try:
            _join(Ranks(2, 3, 2, 3), attempt, "abc/3", soon())
        except StoppedWhileMeetingError as error:
            joined.append(error)

    rank = threading.Thread(target=join)
    rank.start()
    stop.look()
    receiver.join(30)
    # Whoever comes later sees the attempt's end.
    write_json(attempt.stopped, {})
    rank.join(30)
    assert isinstance(receiver.result, StoppedWhileMeetingError)
    assert len(joined) == 1


def test_nobody_waits_for_an_attempt_that_has_stopped(attempt: AttemptDir) -> None:
    write_json(attempt.stopped, {"reason": "cancel"})
    with pytest.raises(StoppedWhileMeetingError):
        _join(SECOND, attempt, "abc/3", soon())


def test_waiting_ends(attempt: AttemptDir) -> None:
    with pytest.raises(PcmError, match=r"waited in vain for rank 0 to write .*rendezvous\.json"):
        _join(SECOND, attempt, "abc/3", time.monotonic())
    with pytest.raises(PcmError, match="only 1 of 2 ranks came"):
        _receive(FIRST, attempt, "abc/3", time.monotonic(), StopRequest(attempt))


def test_nobody_listens(attempt: AttemptDir) -> None:
    write_json(attempt.rendezvous, {"address": "127.0.0.1", "port": 1})
    with pytest.raises(PcmError, match=r"cannot reach rank 0 at 127\.0\.0\.1:1"):
        _join(SECOND, attempt, "abc/3", time.monotonic() + 1)


def test_a_damaged_place_is_told_at_once(attempt: AttemptDir) -> None:
    write_json(attempt.rendezvous, {"address": "127.0.0.1", "port": "many"})
    with pytest.raises(PcmError, match=r"rendezvous\.json is damaged: .*port"):
        _join(SECOND, attempt, "abc/3", soon())


def test_an_earlier_scripts_place_is_read(attempt: AttemptDir) -> None:
    earlier = {"address": "127.0.0.1", "port": 7, "checkpoint": None}
    write_json(attempt.rendezvous, earlier)
    assert read(RendezvousRecord, attempt.rendezvous) == RendezvousRecord("127.0.0.1", 7)


def test_waiting_times_are_set_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkpoint_minutes(Checkpointing()) is None
    assert checkpoint_minutes(Checkpointing(minutes=3)) == 3
    monkeypatch.setenv("PCM_CHECKPOINT_MINUTES", "0.5")
    monkeypatch.setenv("PCM_COLLECTIVE_MINUTES", "2")
    assert (checkpoint_minutes(Checkpointing(minutes=3)), collective_seconds()) == (0.5, 120)


@pytest.mark.parametrize("text", ["", "soon", "0", "-1", "nan"])
def test_a_waiting_time_that_is_none(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PCM_X_MINUTES", text)
    with pytest.raises(UsageError, match="PCM_X_MINUTES"):
        minutes("PCM_X_MINUTES", 1)
