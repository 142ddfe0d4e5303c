"""`pcm report` on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from launch.cli import app
from launch.report.page.gathering import Gathering
from launch.store import Experiment
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


def test_watching_goes_on_when_the_disk_has_room_again(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, gather, looks = Path("page.html"), Gathering.gather, [False, False, False, True]

    def gather_more(self: Gathering, experiments: Sequence[Experiment]) -> dict[str, Any]:
        return gather(self, experiments) | {"is_over": looks.pop(0)}

    def wait(_seconds: float) -> None:
        if page.is_file():
            page.unlink()
            page.mkdir()
        elif len(looks) == 1:
            page.rmdir()

    monkeypatch.setattr(Gathering, "gather", gather_more)
    monkeypatch.setattr("launch.cli.commands.report.time.sleep", wait)
    result = pcm("two", "--watch", "-o", "page.html", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert result.output.count("can't write page.html: it is a folder") == 1
    assert page.is_file()


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
