"""`pcm report` on the command line."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from launch.cli import app
from launch.cli.commands.report import INTERVAL_S, PAUSE, SETTLING_S
from launch.report.page.gathering import Gathering
from launch.store import Experiment, Store
from pcm.errors import ExitCode
from tests.report.sweeps import freeze, train


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a sweep of two points, one of which is done; and the place to be."""
    experiments = freeze(tmp_path, "two", grid={"seed": [0, 1]})
    train(experiments[0], 3)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


class Pauses(list[float]):
    """Seconds that were waited; what happens meanwhile is called one after the other."""

    then: Sequence[Callable[[], object]] = ()

    def __call__(self, seconds: float) -> None:
        self.append(seconds)
        for happens in self.then[len(self) - 1 : len(self)]:
            happens()


def both(one: Callable[[], object], other: Callable[[], object]) -> Callable[[], None]:
    """What happens in one pause."""

    def happen() -> None:
        one()
        other()

    return happen


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """Nobody waits in these tests."""
    pauses = Pauses()
    monkeypatch.setattr("launch.cli.commands.report.time.sleep", pauses)
    return pauses


def pcm(*words: str, runs: Path) -> Result:
    command: Sequence[str] = ["report", *words, "--runs-dir", str(runs)]
    return CliRunner().invoke(app, command)


def test_a_page_is_named_after_its_sweep(runs: Path) -> None:
    result = pcm("two", runs=runs)
    assert result.exit_code == ExitCode.DONE, result.output
    assert result.output.startswith("wrote two.html (")
    assert "</html>" in Path("two.html").read_text()


def test_watching_ends_when_nothing_is_to_come(runs: Path, pauses: Pauses) -> None:
    (every,) = Store(runs).experiments("two")[1:]
    train(every, 3)
    result = pcm("two", "--watch", "-o", "page.html", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert Path("page.html").exists()
    assert pauses == []


def test_what_has_not_started_is_waited_for(runs: Path, pauses: Pauses) -> None:
    waiting = Store(runs).experiments("two")[1]
    pauses.then = [lambda: None, lambda: train(waiting, 3)]
    result = pcm("two", "--watch", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert '"state":"new"' not in Path("two.html").read_text()
    assert pauses == [INTERVAL_S, INTERVAL_S, SETTLING_S]


def test_the_last_page_has_what_supervisors_note_at_the_end(runs: Path, pauses: Pauses) -> None:
    waiting = Store(runs).experiments("two")[1]
    usage = waiting.run_dir.attempt(1).usage(0)
    aside = runs / "usage.json"
    pauses.then = [
        both(lambda: train(waiting, 3), lambda: usage.rename(aside)),
        lambda: aside.rename(usage),
    ]
    pcm("two", "--watch", runs=runs)
    assert Path("two.html").read_text().count('"memory_mb":1234') == 2


def test_a_look_that_takes_long_is_rare(
    runs: Path, pauses: Pauses, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, gather = [0.0], Gathering.gather

    def gather_slowly(self: Gathering, experiments: Sequence[Experiment]) -> dict[str, Any]:
        clock[0] += 60
        return gather(self, experiments)

    monkeypatch.setattr(Gathering, "gather", gather_slowly)
    monkeypatch.setattr("launch.cli.commands.report.time.monotonic", lambda: clock[0])
    waiting = Store(runs).experiments("two")[1]
    pauses.then = [lambda: None, lambda: train(waiting, 3)]
    pcm("two", "--watch", runs=runs)
    assert pauses == [INTERVAL_S, 60 * PAUSE, SETTLING_S]


def test_watching_goes_on_when_the_disk_has_room_again(runs: Path, pauses: Pauses) -> None:
    page, waiting = Path("page.html"), Store(runs).experiments("two")[1]
    pauses.then = [
        both(page.unlink, page.mkdir),
        lambda: None,
        both(page.rmdir, lambda: train(waiting, 3)),
    ]
    result = pcm("two", "--watch", "-o", "page.html", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert result.output.count("can't write page.html: it is a folder") == 1
    assert page.is_file()


def test_a_run_directory_that_goes_meanwhile_ends_nothing(runs: Path, pauses: Pauses) -> None:
    done, waiting = Store(runs).experiments("two")
    pauses.then = [
        lambda: shutil.rmtree(done.run_dir.path),
        both(lambda: train(waiting, 3), lambda: train(done, 3)),
    ]
    assert pcm("two", "--watch", runs=runs).exit_code == ExitCode.DONE


def test_an_interrupt_leaves_the_last_page(runs: Path, pauses: Pauses) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    pauses.then = [interrupt]
    assert pcm("two", "--watch", runs=runs).exit_code == 130
    assert "</html>" in Path("two.html").read_text()


def test_a_metric_that_no_run_has_logged_yet_is_waited_for(runs: Path, pauses: Pauses) -> None:
    waiting = Store(runs).experiments("two")[1]
    wanted = ["two", "--metric", "val/late:max"]
    refused = pcm(*wanted, runs=runs)
    assert refused.exit_code == ExitCode.USAGE
    assert "--watch waits for one" in refused.output
    pauses.then = [lambda: None, lambda: train(waiting, 3, ("val/loss", "val/late"))]
    result = pcm(*wanted, "--watch", runs=runs)
    assert result.exit_code == ExitCode.DONE
    assert result.output.count("no run has logged 'val/late' yet") == 1
    assert '"main":"val/late","greatest":true' in Path("two.html").read_text()


def test_a_metric_that_never_came_is_an_error_in_the_end(runs: Path, pauses: Pauses) -> None:
    waiting = Store(runs).experiments("two")[1]
    pauses.then = [lambda: train(waiting, 3)]
    result = pcm("two", "--metric", "val/late", "--watch", runs=runs)
    assert result.exit_code == ExitCode.USAGE
    assert "no metric 'val/late'" in result.output


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
