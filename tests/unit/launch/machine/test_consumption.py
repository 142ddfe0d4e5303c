import subprocess
import sys

from launch.machine.consumption import Consumption, consumption_of
from launch.machine.processes import Process
from tests.local.conftest import wait_for

BURNER = "import time\nwhile time.process_time() < 0.4: pass"


def seen(program: str) -> Consumption:
    """What a process takes that says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        found = consumption_of(Process.of(process.pid))
        assert found is not None
        return found
    finally:
        subprocess.run(["kill", "-KILL", "--", f"-{process.pid}"], check=False)
        process.communicate()


def test_time_of_children_that_have_ended_counts() -> None:
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURNER!r}])\n"
    assert seen(f"{program}print('ready', flush=True); import time; time.sleep(60)").cpu_s >= 0.4


def test_pages_that_a_forked_worker_shares_count_once() -> None:
    program = "import os, time\nkept = b'x' * 100_000_000\nos.fork()\n"
    found = seen(f"{program}print('ready', flush=True); time.sleep(60)")
    assert 95 < found.memory_mb < 150


def test_one_that_is_gone() -> None:
    process = subprocess.Popen(["true"])
    gone = Process.of(process.pid)
    wait_for(lambda: not gone.is_alive)
    assert consumption_of(gone) is None
    process.wait()
