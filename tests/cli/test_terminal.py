"""What a person at a real terminal sees: prompts, colours, the width."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from launch.status.state import State
from launch.status.statuses import read_statuses
from tests.cli.conftest import Runs

PATIENCE_S = 60


@dataclass(frozen=True)
class Session:
    """What came of a command at a terminal."""

    exit_code: int
    screen: str


Terminal = Callable[..., Session]


@pytest.fixture
def terminal(project: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Run a command with a terminal of 80 columns as its standard streams."""
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setenv("TERM", "xterm-256color")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, prompt: str = "", answer: bytes = b"") -> Session:
        ours, theirs = pty.openpty()
        os.set_blocking(ours, False)
        subprocess.run(["stty", "rows", "24", "columns", "80"], stdin=theirs, check=True)
        command = [sys.executable, "-c", "from launch.cli import app; app()", *arguments]
        process = subprocess.Popen(
            command, cwd=project, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        screen = _read(ours, until=prompt) if prompt else b""
        if answer:
            os.write(ours, answer)
        screen += _read(ours)
        os.close(ours)
        return Session(process.wait(PATIENCE_S), screen.decode())

    return run


def _read(descriptor: int, until: str | None = None) -> bytes:
    """What appears on the terminal, up to some text or to the end of the process."""
    seen = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        select.select([descriptor], [], [], 1)
        try:
            chunk = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            continue
        except OSError:
            return seen
        seen += chunk
        if not chunk or (until is not None and until.encode() in seen):
            return seen
    raise TimeoutError(seen)


def test_a_no_launches_nothing(terminal: Terminal, project: Path) -> None:
    session = terminal("launch", "small.yaml", "--executor", "local", prompt="[y/N]", answer=b"n\n")
    assert session.exit_code == 130
    assert "Launch 4 experiments? [y/N]" in session.screen
    assert "Nothing was done." in session.screen
    assert not (project / "runs").exists()


@pytest.mark.parametrize("answer", [b"\n", b"\x04", b"yes please\n"])
def test_anything_but_yes_is_a_no(terminal: Terminal, project: Path, answer: bytes) -> None:
    session = terminal("launch", "small.yaml", "--executor", "local", prompt="[y/N]", answer=answer)
    assert session.exit_code == 130
    assert not (project / "runs").exists()


def test_a_yes_is_a_yes(terminal: Terminal, runs: Runs) -> None:
    session = terminal("cancel", "small", prompt="[y/N]", answer=b"y\n")
    assert session.exit_code == 0, session.screen
    statuses = read_statuses(runs.experiments)
    assert {status.state for status in statuses.values()} == {State.CANCELLED}


def test_tables_fit_the_terminal_and_have_colours(terminal: Terminal, runs: Runs) -> None:
    runs.fail(0, "no")
    session = terminal("status")
    assert session.exit_code == 0
    assert "\x1b[1;31mfailed" in session.screen
    assert all(each.id in session.screen for each in runs.experiments)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", session.screen)
    assert max(map(len, plain.splitlines())) <= 80


def test_no_color_means_no_colours(
    terminal: Terminal, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    runs.fail(0, "a reason")
    session = terminal("status")
    assert "31m" not in session.screen
    assert "failed" in session.screen


def test_watching_keeps_the_last_picture(terminal: Terminal, runs: Runs) -> None:
    for index in range(4):
        runs.finish(index)
    session = terminal("status", "--watch")
    assert session.exit_code == 0
    assert "4 done" in session.screen
