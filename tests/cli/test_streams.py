"""Streams that are closed or can't take a name, and sizes that are none."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Runs

NAME = "β-vae \x1b]0;owned\x07\u202e"


def shell(project: Path, text: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a line of a shell in which `pcm` is the command."""
    words = [sys.executable, "-c", "from launch.cli import app; app()"]
    line = f'pcm() {{ {shlex.join(words)} "$@"; }}\n{text}'
    return subprocess.run(
        ["bash", "-c", line],
        cwd=project,
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def named(runs: Runs) -> Runs:
    """Experiments with a name that nobody should print as it is."""
    launch = runs.experiments[0].launch
    text = launch.points.read_text()
    name = runs.experiments[0].name
    escaped = NAME.encode("unicode_escape").decode().replace("\\x", "\\u00")
    assert name in text
    launch.points.write_text(text.replace(f'"{name}"', f'"{escaped}"'))
    assert runs.store.experiments()[0].name == NAME
    return runs


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_closed_stream_is_nobodys_business(runs: Runs, project: Path, closed: str) -> None:
    done = shell(project, f"pcm status {closed}")
    assert (done.returncode, done.stderr) == (0, b"")
    assert (b"4 experiments" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_a_mistake_with_closed_streams_is_told_by_the_exit_code(project: Path) -> None:
    assert shell(project, "pcm status nothing >&- 2>&-").returncode == 5


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_a_name_that_the_locale_cannot_show_is_escaped(
    named: Runs, project: Path, encoding: str
) -> None:
    ours = named.experiments[0].id
    for command in ("status", f"show {ours}", f"why {ours}"):
        done = shell(project, f"pcm {command}", PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        shown = done.stdout.decode(errors="replace")
        # Where a stream is ASCII alone, lines that are no table are UTF-8 all the same.
        assert ("β" in shown) or (r"\u03b2" in shown and encoding != "utf-8")
        assert r"-vae \x1b]0;owned\x07\u202e" in shown
        assert "\x1b" not in shown


def test_a_locale_without_utf_8_ends_no_command(named: Runs, project: Path) -> None:
    done = shell(project, "pcm status", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0, done.stderr
    assert rb"\u03b2-vae" in done.stdout


def test_json_is_exact(named: Runs, project: Path) -> None:
    done = shell(project, "pcm status --json", PYTHONIOENCODING="ascii")
    assert NAME in {record["name"] for record in json.loads(done.stdout)["experiments"]}


@pytest.mark.parametrize("columns", ["0", "-1", "wide", ""])
def test_a_width_that_is_none_is_no_width(runs: Runs, project: Path, columns: str) -> None:
    done = shell(project, "pcm status", COLUMNS=columns)
    usual = shell(project, "unset COLUMNS; pcm status")
    assert done.stdout == usual.stdout
    assert runs.experiments[0].id.encode() in done.stdout


def test_a_folder_that_the_locale_cannot_name_is_told(project: Path) -> None:
    grid = (project / "small.yaml").read_text().replace("name: small", "name: β-vae")
    (project / "small.yaml").write_text(grid)
    variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(project, "pcm launch small.yaml --executor local --yes", **variables)
    assert done.returncode == 4, done.stderr
    assert b"try: LC_ALL=C.UTF-8" in done.stderr
    assert b"fault in pcm" not in done.stderr
