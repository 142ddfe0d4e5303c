"""A training that was forked for somebody who isn't its parent: its end, whoever goes first."""

import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from launch.supervisor import fostered
from launch.supervisor.forked import ColdError
from launch.supervisor.fostered import ask_for_training
from launch.supervisor.training import Outcome, TrainingProcess
from pcm.nursery.loaded import LoadedCode
from pcm.nursery.orders import Orders, open_files
from pcm.nursery.serving import listen, serve
from tests.local.conftest import wait_for

LOADED_WITH = {"OMP_NUM_THREADS": "2", "IMAGES_OWN": "1"}


@dataclass(frozen=True)
class Nursery:
    """One whose trainings run the code that is their only argument.

    Attributes:
        module: one that it has loaded.
    """

    name: str
    process: psutil.Process
    folder: Path
    module: Path

    def orders(self, code: str, **environment: str) -> Orders:
        variables = {"OMP_NUM_THREADS": "2", **environment}
        return Orders([code], variables, str(self.folder / "log"), str(self.folder))

    def train(self, code: str, **environment: str) -> TrainingProcess:
        forked = ask_for_training(self.name, self.orders(code, **environment))
        return TrainingProcess([], {}, Path("/dev/null"), forked=forked)

    @property
    def log(self) -> str:
        file = self.folder / "log"
        return file.read_text() if file.exists() else ""


@pytest.fixture
def nursery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nursery]:
    name, module = f"pcm-test-{uuid.uuid4().hex}", tmp_path / "own.py"
    module.touch()
    monkeypatch.setattr("pcm.nursery.loaded._own_files", lambda: [str(module)])
    kept, listener = open_files(), listen(name)
    pid = os.fork()
    if pid == 0:
        os.environ.clear()
        os.environ.update(LOADED_WITH)
        orders = serve(listener, LOADED_WITH, kept, LoadedCode())
        try:
            exec(orders.arguments[0], {"os": os, "signal": signal})
        finally:
            os._exit(7)
    listener.close()
    process = psutil.Process(pid)
    yield Nursery(name, process, tmp_path, module)
    with suppress(psutil.NoSuchProcess):
        process.kill()
    process.wait()


def end_of(training: TrainingProcess) -> Outcome:
    outcome: Outcome = wait_for(training.poll)
    return outcome


def test_it_is_told_what_to_be_and_how_it_ended_is_told(nursery: Nursery) -> None:
    code = "os.write(1, f'{dict(os.environ)} {os.getcwd()} {os.getsid(0) == os.getpid()}'.encode())"
    outcome = end_of(nursery.train(code, RANK="3"))
    assert outcome == Outcome(7, None)
    assert outcome.largest_process_mb is not None
    assert outcome.largest_process_mb > 1
    given = {**LOADED_WITH, "RANK": "3", "PWD": str(nursery.folder)}
    assert nursery.log == f"{given} {nursery.folder} True"


def test_it_is_killed_with_all_of_its_session(nursery: Nursery) -> None:
    code = "os.fork() or os.setpgid(0, 0); os.write(1, b'+'); signal.pause()"
    training = nursery.train(code)
    wait_for(lambda: nursery.log == "++")
    family = [psutil.Process(training.process.pid)]
    family += family[0].children()
    training.kill()
    assert end_of(training) == Outcome(None, "SIGKILL", killed=True)
    assert len(family) == 2
    wait_for(lambda: not any(each.is_running() for each in family))


def test_without_its_supervisor_it_ends(nursery: Nursery) -> None:
    forked = ask_for_training(nursery.name, nursery.orders("signal.pause()"))
    process = psutil.Process(forked.pid)
    del forked
    wait_for(lambda: not process.is_running())


def test_without_its_keeper_it_ends(nursery: Nursery) -> None:
    training = nursery.train("signal.pause()")
    keeper = psutil.Process(training.process.pid).parent()
    assert keeper is not None
    assert keeper.ppid() == nursery.process.pid
    keeper.kill()
    assert end_of(training) == Outcome(None, "SIGKILL")


def test_without_the_nursery_it_goes_on(nursery: Nursery) -> None:
    os.mkfifo(nursery.folder / "go")
    training = nursery.train("os.read(os.open('go', os.O_RDONLY), 1)")
    nursery.process.kill()
    nursery.process.wait()
    with pytest.raises(ColdError, match="can't be asked: Connection refused"):
        nursery.train("")
    (nursery.folder / "go").write_text("+")
    assert end_of(training) == Outcome(7, None)


def test_a_stopped_nursery_is_not_waited_for_and_trains_nothing_later(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fostered, "ANSWER_S", 0.2)
    nursery.process.suspend()
    with pytest.raises(ColdError, match="gave no answer in 0 s"):
        nursery.train("")
    nursery.process.resume()
    monkeypatch.setattr(fostered, "ANSWER_S", 15.0)
    assert end_of(nursery.train("os.write(1, b'the second')")) == Outcome(7, None)
    wait_for(lambda: not nursery.process.children())
    assert nursery.log == "the second"


def test_what_can_not_be_as_good_as_a_fresh_one_is_refused(nursery: Nursery) -> None:
    with pytest.raises(ColdError, match="OMP_NUM_THREADS is not what torch was loaded with"):
        nursery.train("", OMP_NUM_THREADS="3")
    nursery.module.write_text("edited = True")
    with pytest.raises(ColdError, match=r"own\.py was edited"):
        nursery.train("")
    assert nursery.log == ""
