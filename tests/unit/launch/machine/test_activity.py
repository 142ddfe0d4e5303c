import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from launch.machine.activity import Activity, activity_of
from launch.machine.processes import Process, descendants
from tests.local.conftest import wait_for

Start = Callable[[str], Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts Python with a program."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str) -> Process:
        started.append(subprocess.Popen([sys.executable, "-c", program]))
        return Process.of(started[-1].pid)

    yield start
    for each in started:
        each.kill()
        each.wait()


def seen(process: Process, state: str) -> Activity:
    def look() -> Activity | None:
        activity = activity_of(process)
        return activity if activity is not None and activity.state == state else None

    found: Activity = wait_for(look)
    return found


def test_one_that_works_gets_cpu(start: Start) -> None:
    process = start("while True: pass")
    before = seen(process, "R").cpu_s
    wait_for(lambda: seen(process, "R").cpu_s > before)


def test_one_that_a_signal_has_stopped(start: Start) -> None:
    process = start("import time; time.sleep(60)")
    assert seen(process, "S").stopped == 0
    subprocess.run(["kill", "-STOP", str(process.pid)], check=True)
    assert seen(process, "T").stopped == 1


def test_workers_count_with_it(start: Start) -> None:
    program = "import subprocess, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"
    process = start(program)
    [worker] = wait_for(lambda: descendants(process.pid))
    subprocess.run(["kill", f"-{signal.SIGSTOP.value}", str(worker)], check=True)
    wait_for(lambda: seen(process, "S").stopped == 1)
    subprocess.run(["kill", "-KILL", str(worker)], check=True)


def test_one_that_is_gone() -> None:
    process = subprocess.Popen(["true"])
    gone = Process.of(process.pid)
    process.wait()
    assert activity_of(gone) is None
