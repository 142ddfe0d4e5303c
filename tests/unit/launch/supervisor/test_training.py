"""A training process: its output, its end, and what it leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from launch.supervisor.training import Outcome, TrainingProcess
from tests.local.conftest import wait_for


def start(code: str, log: Path) -> TrainingProcess:
    return TrainingProcess([sys.executable, "-u", "-c", code], dict(os.environ), log)


def end_of(training: TrainingProcess) -> Outcome:
    outcome: Outcome = wait_for(training.poll)
    return outcome


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", [0, 1, 3, 75])
def test_an_exit_code_is_told(tmp_path: Path, code: int) -> None:
    outcome = end_of(start(f"raise SystemExit({code})", tmp_path / "log"))
    assert outcome == Outcome(code, None)
    assert outcome.is_failure is (code in (1, 3))


def test_a_signal_is_told_by_name(tmp_path: Path) -> None:
    training = start("import os; os.kill(os.getpid(), 9)", tmp_path / "log")
    outcome = end_of(training)
    assert outcome == Outcome(None, "SIGKILL")
    assert outcome.is_failure


def test_both_outputs_are_added_to_the_log_in_order(tmp_path: Path) -> None:
    log = tmp_path / "the log"
    log.write_text("before\n")
    end_of(start("import sys; print('é'); print('bad', file=sys.stderr); print('end')", log))
    assert log.read_text() == "before\né\nbad\nend\n"


def test_it_reads_nothing_and_has_its_own_session(tmp_path: Path) -> None:
    log = tmp_path / "log"
    end_of(start("import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())", log))
    assert log.read_text() == "'' True\n"


def test_signals_of_the_scheduler_do_not_kill_it_before_its_first_line(tmp_path: Path) -> None:
    training = start("import time; time.sleep(0.5)", tmp_path / "log")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(training.process.pid, number)
    assert end_of(training) == Outcome(0, None)


def test_kill_is_remembered(tmp_path: Path) -> None:
    training = start("import time; time.sleep(60)", tmp_path / "log")
    assert training.poll() is None
    training.kill()
    assert end_of(training) == Outcome(None, "SIGKILL", killed=True)
    training.kill()


def test_workers_end_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = "import time; time.sleep(60)"
    code = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {worker!r}]).pid)"
    )
    end_of(start(code, log))
    wait_for(lambda: not is_running(int(log.read_text())), seconds=5)


def test_it_dies_with_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from launch.supervisor.training import TrainingProcess\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "print(TrainingProcess(sleep, {}, Path(sys.argv[1])).process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")], stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    assert is_running(pid)
    supervisor.kill()
    supervisor.communicate()
    deadline = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(pid)


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such"):
        TrainingProcess(["/no such/python"], {}, tmp_path / "log")


def test_the_memory_of_its_largest_process_is_told(tmp_path: Path) -> None:
    hungry = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'b = b\"x\" * 10**8'])"
    outcome = end_of(start(hungry, tmp_path / "log"))
    assert outcome.largest_process_mb is not None
    assert outcome.largest_process_mb > 95
    assert outcome.record()["largest_process_mb"] == outcome.largest_process_mb
