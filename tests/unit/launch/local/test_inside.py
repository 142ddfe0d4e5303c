"""The launcher's end of a nursery in an image, with a program in place of the image."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launch.local.inside import InsideNursery
from launch.store import LaunchDir
from launch.supervisor.forked import ColdError
from pcm import __version__
from tests.local.conftest import wait_for
from tests.local.launches import make_launch

SAYS_HELLO = """
import json, os, sys
from pcm.nursery.tie import start_time
hello = {"cold": None, "pid": os.getpid(), "started": start_time(os.getpid())}
print(json.dumps(hello | json.loads(sys.argv[1])), flush=True)
sys.stdin.read()
"""

LOADS_FOR_EVER = "import sys; sys.stdin.read()"

FAILS = "import sys; sys.exit('no space left on device')"


class Played(InsideNursery):
    """One whose image is a program.

    Attributes:
        program: that runs.
    """

    program: "subprocess.Popen[bytes]"

    def __init__(self, launch: LaunchDir, program: str, hello: dict[str, object]) -> None:
        self._words = [sys.executable, "-c", program, json.dumps(hello)]
        super().__init__(launch, 1, [], lambda: False)

    def _start(self, *_: object) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        self.program = subprocess.Popen(self._words, stdin=pipe, stdout=pipe, stderr=self._errors)
        return self.program


Play = Callable[..., Played]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Starts one; what it says as it has loaded may be changed."""
    [experiment] = make_launch(tmp_path / "runs")
    started: list[Played] = []

    def begin(program: str = SAYS_HELLO, **hello: object) -> Played:
        started.append(Played(experiment.launch, program, {"version": __version__, **hello}))
        return started[-1]

    yield begin
    for each in started:
        each.close()
        assert each.program.poll() is not None


def test_it_has_a_name_once_it_has_loaded_and_none_when_it_was_killed(play: Play) -> None:
    nursery = play()
    wait_for(lambda: not nursery.is_loading())
    assert nursery.name().startswith("pcm-")
    nursery.program.kill()
    with pytest.raises(ColdError, match="the process that forks has ended"):
        wait_for(lambda: not nursery.name())


def test_it_is_given_up_when_it_is_stopped(play: Play) -> None:
    nursery = play()
    wait_for(lambda: not nursery.is_loading())
    nursery.program.send_signal(signal.SIGSTOP)
    with pytest.raises(ColdError, match="a signal has stopped the process that forks"):
        wait_for(lambda: not nursery.name())
    nursery.program.send_signal(signal.SIGCONT)


def test_it_is_not_waited_for_when_it_is_stopped_as_it_loads(play: Play) -> None:
    nursery = play(LOADS_FOR_EVER)
    assert nursery.is_loading()
    nursery.program.send_signal(signal.SIGSTOP)
    wait_for(lambda: not nursery.is_loading())
    with pytest.raises(ColdError, match="a signal has stopped the image"):
        nursery.name()
    nursery.program.send_signal(signal.SIGCONT)


@pytest.mark.parametrize(
    ("hello", "why"),
    [
        ({"cold": "importing own started threads, which a fork ends"}, "own started threads"),
        ({"version": "0.0"}, "the image has pcm 0.0"),
        ({"started": "1"}, "processes of its own numbers"),
        ({"pid": "none"}, "the image forks nothing"),
    ],
)
def test_what_can_not_be_forked_from_says_why(
    play: Play, hello: dict[str, object], why: str
) -> None:
    nursery = play(**hello)
    wait_for(lambda: not nursery.is_loading())
    with pytest.raises(ColdError, match=why):
        nursery.name()


def test_what_an_image_says_as_it_fails_is_passed_on(play: Play) -> None:
    nursery = play(FAILS)
    wait_for(lambda: not nursery.is_loading())
    with pytest.raises(ColdError, match="the image forks nothing: no space left on device"):
        nursery.name()
