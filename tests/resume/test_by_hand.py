"""`python -m pcm RUN_DIR` as a person starts it, and what signals do."""

import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from pcm.errors import ExitCode
from pcm.run_dir import RunDir, read_json
from tests.resume.runs import OWN, make_run, own

PATIENCE_S = 180
"""Of which a busy machine needs most to import torch and Lightning."""


def launch(run_dir: RunDir, *words: str, **variables: str) -> "subprocess.Popen[str]":
    inherited = {name: text for name, text in os.environ.items() if name != "RANK"}
    return subprocess.Popen(
        [sys.executable, "-m", "pcm", str(run_dir.path), *words],
        env={**inherited, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(OWN), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(file: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not file.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert file.exists()


def wait_until_torch_is_imported(process: "subprocess.Popen[str]") -> None:
    deadline, mapped = time.monotonic() + PATIENCE_S, Path(f"/proc/{process.pid}/maps")
    while "libtorch" not in mapped.read_text():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_ctrl_c_stops_with_a_checkpoint_and_the_next_call_goes_on(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "a run", kwargs={"max_epochs": 100_000})
    process = launch(run_dir)
    wait_for(run_dir.checkpoints, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.STOPPED, output
    assert "Traceback" not in output
    first = run_dir.attempt(1)
    assert read_json(first.attempt)["executor"] == "hand"
    assert read_json(first.stop)["by"] == "SIGINT"
    stopped = read_json(first.stopped)
    assert (run_dir.checkpoints / stopped["checkpoint"]).exists()
    assert stopped["reason"] == "interrupt"


def test_signals_leave_a_supervised_rank_alone_from_its_first_moment(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    process = launch(run_dir, "--attempt", "1", RANK="0", WORLD_SIZE="1")
    wait_until_torch_is_imported(process)
    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGINT):
        process.send_signal(number)
    wait_for(run_dir.metrics, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.DONE, output


def test_a_stop_during_the_imports_ends_without_a_step(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    process = launch(run_dir)
    wait_for(run_dir.attempt(1).attempt, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.STOPPED, output
    assert read_json(run_dir.attempt(1).stopped)["step"] == 0


def test_refuses_while_another_attempt_runs(tmp_path: Path) -> None:
    run_dir = make_run(tmp_path / "run")
    with FileLock(run_dir.lock):
        process = launch(run_dir)
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.REFUSED
    assert "another attempt" in output
    assert run_dir.attempts() == []


def test_refuses_a_folder_that_is_no_run_directory(tmp_path: Path) -> None:
    process = launch(RunDir(tmp_path))
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == ExitCode.NOT_FOUND
    assert "is no run directory" in output
    assert "Traceback" not in output


def test_trains_in_the_calling_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the debug executor does it: output and signals are the caller's."""
    run_dir = make_run(tmp_path / "run", model=own("Automatic"), kwargs={"max_epochs": 1})
    monkeypatch.syspath_prepend(str(OWN))
    monkeypatch.delenv("RANK", raising=False)
    monkeypatch.setattr(sys, "argv", ["pcm", str(run_dir.path), "--attempt", "1"])
    handlers: list[Any] = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(SystemExit) as end:
        runpy.run_module("pcm", run_name="__main__")
    assert end.value.code == ExitCode.DONE
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert read_json(run_dir.attempt(1).finished)["step"] == 10
