"""Who looks for all on a node, and what the others hear when it talks, is silent, or is gone."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest

from launch.supervisor import sharing as module
from launch.supervisor.sharing import Sharing
from tests.local.conftest import wait_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sockets without a file")


@pytest.fixture
def two(request: pytest.FixtureRequest) -> Iterator[tuple[Sharing, Sharing]]:
    """The one who looks, and one who is told."""
    subject = f"\0{os.getpid()} {request.node.name}"
    with closing(Sharing(subject)) as first, closing(Sharing(subject)) as second:
        first.hear()
        second.hear()
        first.hear()
        yield first, second


def test_the_first_looks_and_tells(two: tuple[Sharing, Sharing]) -> None:
    first, second = two
    assert (first.is_told, second.is_told) == (False, True)
    assert second.hear() == set()
    first.tell(["stop.json", "failed.json"])
    first.tell([])
    assert second.hear() == {"stop.json", "failed.json"}
    assert first.hear() == set()


def test_silence_is_noticed_and_a_later_word_heard(
    two: tuple[Sharing, Sharing], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    monkeypatch.setattr(module, "SILENCE_S", 0.0)
    assert not second.is_told
    monkeypatch.setattr(module, "SILENCE_S", 60.0)
    first.tell(["stop.json"])
    assert second.hear() == {"stop.json"}
    assert second.is_told


def test_when_the_first_is_gone_the_next_takes_its_place(two: tuple[Sharing, Sharing]) -> None:
    first, second = two
    first.tell(["stop.json"])
    first.close()
    assert second.hear() == {"stop.json"}
    assert not second.is_told
    second.hear()
    with closing(first):
        first.hear()
        assert first.is_told
        second.hear()
        second.tell(["failed.json"])
        assert first.hear() == {"failed.json"}


def test_who_is_killed_leaves_its_place() -> None:
    subject = f"\0{os.getpid()} killed"
    code = (
        "import sys, time\n"
        "from launch.supervisor.sharing import Sharing\n"
        "sharing = Sharing(chr(0) + sys.argv[1])\n"
        "sharing.hear()\n"
        "print(flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, subject[1:]]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as other,
        closing(Sharing(subject)) as here,
        closing(Sharing(subject)) as witness,
    ):
        assert other.stdout is not None
        other.stdout.readline()
        here.hear()
        assert here.is_told
        other.kill()
        wait_for(lambda: here.hear() or not here.is_told)
        here.hear()
        witness.hear()
        assert witness.is_told


def test_one_who_does_not_listen_holds_up_nobody(two: tuple[Sharing, Sharing]) -> None:
    first, second = two
    for _ in range(10_000):
        first.tell(["stop.json"])
    assert second.hear() == {"stop.json"}
    first.tell(["failed.json"])
    assert second.hear() == {"failed.json"}


def test_a_stranger_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        closing(Sharing(f"\0{os.getpid()} strange")) as here,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger,
    ):
        stranger.bind(here._address)
        stranger.listen()
        uid = os.getuid()
        # The kernel goes on telling who it is, and this process takes itself for another one.
        monkeypatch.setattr(os, "getuid", lambda: uid + 1)
        here.hear()
        assert not here.is_told
        monkeypatch.undo()
        here.hear()
        assert here.is_told
