"""`pcm report` on the command line."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from launch.cli import app
from pcm.errors import ExitCode
from tests.report.sweeps import freeze, train


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sweep of two points, one of which is done; and the place to be."""
    experiments = freeze(tmp_path, "two", grid={"seed": [0, 1]})
    train(experiments[0], 3)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def pcm(*words: str, runs: Path) -> Result:
    command: Sequence[str] = ["report", *words, "--runs-dir", str(runs)]
    return CliRunner().invoke(app, command)


def test_a_page_is_named_after_its_sweep(runs: Path) -> None:
    result = pcm("two", runs=runs)
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.output.startswith("wrote two.html (")
    assert "</html>" in Path("two.html").read_text()


def test_watching_ends_when_nothing_is_to_come(runs: Path) -> None:
    result = pcm("two", "--watch", "-o", "page.html", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert Path("page.html").exists()


def test_the_metric_is_the_one_that_was_asked_for(runs: Path) -> None:
    assert pcm("two", "--metric", "val/elbo:max", runs=runs).exit_code == ExitCode.DONE
    page = Path("two.html").read_text()
    assert '"main":"val/elbo","greatest":true' in page


def test_a_metric_that_no_run_has_is_refused(runs: Path) -> None:
    result = pcm("two", "--metric", "val/nothing", runs=runs)
    assert result.exit_code == ExitCode.USAGE
    assert "no metric 'val/nothing'" in result.output
    assert "val/elbo" in result.output
    assert not Path("two.html").exists()


def test_where_nothing_can_be_written_says_so(runs: Path) -> None:
    result = pcm("two", "-o", "missing/page.html", runs=runs)
    assert result.exit_code == ExitCode.REFUSED
    assert "can't write missing/page.html" in result.output


def test_an_unknown_sweep_is_not_found(runs: Path) -> None:
    assert pcm("three", runs=runs).exit_code == ExitCode.NOT_FOUND
