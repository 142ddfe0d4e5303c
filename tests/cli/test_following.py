"""`pcm sync --follow`: a second one, Ctrl-C, and a feeder that dies."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from launch.cli.commands import sync
from tests.cli.conftest import ROOT, Pcm, Runs

FOLLOW = ("sync", "small", "--follow")

STAND_IN = """
import os, signal
print(os.getpid(), flush=True)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.kill(os.getpid(), signal.{signal})
"""


def feed_with(monkeypatch: pytest.MonkeyPatch, folder: Path, word: str) -> None:
    """Have a program feed that gives itself this signal."""
    program = folder / "feeder.py"
    program.write_text(STAND_IN.replace("{signal}", word))
    monkeypatch.setenv("PCM_PYTHON", shlex.join([sys.executable, str(program)]))


def test_the_second_is_told_and_ctrl_c_leaves_at_once(
    pcm: Pcm, runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Neither SIGTERM nor the end of its input end a process that is stopped.
    feed_with(monkeypatch, tmp_path, "SIGSTOP")
    first = subprocess.Popen(
        [sys.executable, "-m", "launch", *FOLLOW],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert first.stdout is not None
    feeder = int(first.stdout.readline())
    second = pcm(*FOLLOW)
    assert second.exit_code == 4
    assert "another pcm sync --follow feeds small already" in second.stderr
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=60)
    assert first.returncode == 130
    assert said == "left; the next pcm sync sends what is not sent yet\n"
    assert not psutil.pid_exists(feeder)


def test_a_feeder_that_dies_is_told(
    pcm: Pcm, runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sync, "_INTERVAL_S", 0.1)
    for _ in range(2):  # what the first one held is free again
        feed_with(monkeypatch, tmp_path, "SIGKILL")
        result = pcm(*FOLLOW)
        assert result.exit_code == 4
        assert "has ended, by signal 9" in result.stderr
