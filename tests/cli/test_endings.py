"""Every way a command can end, as an exit code and a message."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from launch.cli.group import PcmGroup
from pcm.errors import (
    ConfigError,
    Fault,
    NotFoundError,
    PcmError,
    RefusedError,
    UsageError,
)
from tests.cli.conftest import Pcm


def app_that_raises(error: BaseException) -> typer.Typer:
    app = typer.Typer(cls=PcmGroup, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback()
    def top(context: typer.Context, *, debug: bool = False) -> None:
        assert isinstance(context.command, PcmGroup)
        context.command.debug = debug

    @app.command()
    def go() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (PcmError("a"), 1),
        (UsageError("a"), 2),
        (ConfigError([Fault("a")]), 3),
        (RefusedError("a"), 4),
        (NotFoundError("a"), 5),
        (KeyboardInterrupt(), 130),
        (ZeroDivisionError("a"), 1),
        (PermissionError(13, "Permission denied", "/some/file"), 4),
        (OSError(28, "No space left on device", "/some/file"), 4),
    ],
)
def test_the_exit_code_tells_the_kind(error: BaseException, code: int) -> None:
    result = CliRunner().invoke(app_that_raises(error), ["go"])
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_a_mistake_is_told_with_its_remedy_on_standard_error() -> None:
    result = CliRunner().invoke(app_that_raises(NotFoundError("no such thing", "look")), ["go"])
    assert result.stderr == "pcm: no such thing\n  try: look\n"
    assert result.stdout == ""


def test_what_nobody_foresaw_leaves_its_traceback_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = CliRunner().invoke(app_that_raises(ZeroDivisionError("odd")), ["go"])
    assert "unexpected ZeroDivisionError: odd" in result.stderr
    [kept] = tmp_path.iterdir()
    assert str(kept) in result.stderr
    assert "raise error" in kept.read_text()


@pytest.mark.parametrize("error", [UsageError("a"), ZeroDivisionError("a")])
def test_debug_shows_the_traceback(error: Exception) -> None:
    result = CliRunner().invoke(app_that_raises(error), ["--debug", "go"])
    assert "Traceback" in result.stderr
    assert type(error).__name__ in result.stderr


def test_a_full_disk_names_the_file() -> None:
    error = OSError(28, "No space left on device", "/some/file")
    result = CliRunner().invoke(app_that_raises(error), ["go"])
    assert result.stderr == (
        "pcm: No space left on device: /some/file\n"
        "  try: free some space there, and run the command again\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["launhc"],
        ["launch"],
        ["launch", "a.yaml", "b.yaml"],
        ["launch", "a.yaml", "--executor", "cloud"],
        ["launch", "a.yaml", "--nodes", "0"],
        ["launch", "a.yaml", "--nodes", "two"],
        ["status", "--state", "sleeping"],
        ["status", "--watch", "--json"],
        ["results"],
        ["logs", "x", "--rank", "-1"],
        ["train", "--data-train", "a.yaml"],
    ],
)
def test_a_command_line_without_sense(pcm: Pcm, arguments: list[str]) -> None:
    result = pcm(*arguments)
    assert result.exit_code == 2
    assert result.stderr
    assert "Traceback" not in result.output


def test_a_misspelt_command_is_answered_with_the_nearest(pcm: Pcm) -> None:
    assert "launch" in pcm("launhc").stderr


def test_no_command_at_all_shows_the_help(pcm: Pcm) -> None:
    assert "Run experiments:" in pcm().output


def test_the_version(pcm: Pcm) -> None:
    assert re.fullmatch(r"pcm \d+\.\d+\.\d+\n", pcm("--version").stdout)


def test_a_reader_that_has_seen_enough_hears_no_complaint(project: Path) -> None:
    command = f"{sys.executable} -c 'from launch.cli import app; app()' structure | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=True, cwd=project
    )
    assert done.stdout == "model\n"
    assert done.stderr == ""


def test_the_environment_can_ask_for_tracebacks(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from launch.cli import app; app()", "show", "nothing"],
        env={**os.environ, "PCM_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )
    assert done.returncode == 5
    assert "Traceback" in done.stderr


def test_ctrl_c_while_the_command_is_loaded_says_nothing(tmp_path: Path) -> None:
    slow = "import time\nprint('loading', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "typer.py").write_text(slow)
    process = subprocess.Popen(
        [sys.executable, "-m", "launch", "status"],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == -signal.SIGINT
