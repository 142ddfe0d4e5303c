"""A runs root with a hostile name, a stand-in for training, and a look for leftovers."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from launch.store import Experiment
from launch.store.records import read_record
from pcm.run_dir import AttemptDir

HERE = Path(__file__).parent

MARK = "PCM_TEST_MARK"
"""Environment variable that all processes of a test inherit."""


def wait_for(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {condition}"
        time.sleep(0.05)
    return value


def marked_processes(mark: str) -> list[psutil.Process]:
    """Processes of this test, without the test's own."""
    return [
        process
        for process in psutil.process_iter()
        if process.pid != os.getpid() and is_marked(process, mark)
    ]


def is_marked(process: psutil.Process, mark: str) -> bool:
    """Whether it's one of the test's, and hasn't ended."""
    try:
        return process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return False


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Marks this test's processes; none of them may be there a moment after its end."""
    value = uuid.uuid4().hex
    monkeypatch.setenv(MARK, value)
    yield value
    deadline = time.monotonic() + 10
    while (left := marked_processes(value)) and time.monotonic() < deadline:
        time.sleep(0.1)
    commands = [process.cmdline() for process in left]
    for process in left:
        process.kill()
    assert commands == []


@pytest.fixture
def root(tmp_path: Path, mark: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs root that tries every quoting; the working directory has a space in it as well."""
    stand_in = shlex.join([sys.executable, str(HERE / "stand_in.py")])
    monkeypatch.setenv("PCM_PYTHON", stand_in)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # The stand-in and the launcher find the project wherever they run.
    monkeypatch.setenv("PYTHONPATH", str(HERE.parents[1]))
    folder = tmp_path / "working folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return tmp_path / 'run\'s "é" $HOME;'


def first_attempt(experiment: Experiment) -> AttemptDir:
    return experiment.run_dir.attempt(1)


def trains(experiment: Experiment, attempt: int = 1) -> bool:
    """Whether an attempt has made a step."""
    return bool(read_record(experiment.run_dir.attempt(attempt).progress))


def stop_rank(experiment: Experiment, rank: int) -> None:
    """Let a rank's training hang: it makes no step, and says nothing of it."""
    record = wait_for(lambda: read_record(first_attempt(experiment).supervisor(rank)))
    os.kill(int(record["child_pid"]), signal.SIGSTOP)


@dataclass
class Launcher:
    """A launcher in a session of its own, as under a terminal."""

    process: "subprocess.Popen[str]"

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        """Signal the whole foreground group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def result(self) -> dict[str, Any]:
        """What it printed at its end."""
        output, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        result: dict[str, Any] = json.loads(output)
        return result


@pytest.fixture
def start_launcher(root: Path) -> Iterator[Callable[[int], Launcher]]:
    """Starts a launcher of all experiments under the root."""
    started: list[Launcher] = []

    def start(max_parallel: int) -> Launcher:
        process = subprocess.Popen(
            [sys.executable, str(HERE / "launcher.py"), str(root), str(max_parallel)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(Launcher(process))
        return started[-1]

    yield start
    for launcher in started:
        launcher.process.kill()
        launcher.process.wait()
        # Not `communicate`: what a failed test left behind would keep the pipes open.
        for stream in (launcher.process.stdout, launcher.process.stderr):
            assert stream is not None
            stream.close()
