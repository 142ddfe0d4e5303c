"""What journals without a summary came to: kept, told from the files, and never relied on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from launch.store import Experiment, RunsRoot
from launch.store import summary_cache as module
from launch.store.summary_cache import SummaryCache
from pcm.run_dir import JournalWriter
from pcm.run_dir.summary import Summary, summarise, write_summary
from tests.local.launches import make_launch


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    [only] = make_launch(tmp_path)
    only.run_dir.path.mkdir(parents=True)
    log(only, 0.5)
    return only


def log(experiment: Experiment, value: float) -> None:
    writer = JournalWriter(experiment.run_dir.metrics, 1, None)
    writer.append(1, 0, 0.0, {"val/loss": value})
    writer.close()


def read(experiment: Experiment) -> Summary:
    with SummaryCache.of([experiment]) as cache:
        return cache.summary(experiment)


def test_a_journal_is_parsed_once(experiment: Experiment, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read(experiment)
    assert first == summarise(experiment.run_dir.metrics)
    monkeypatch.setattr(module, "summarise", lambda *_: pytest.fail("parsed again"))
    assert read(experiment) == first


def test_a_journal_that_grew_is_parsed_again(experiment: Experiment) -> None:
    read(experiment)
    log(experiment, 0.1)
    assert read(experiment).metrics["val/loss"].least == 0.1


def test_with_a_summary_beside_the_journal_nothing_is_kept(experiment: Experiment) -> None:
    write_summary(experiment.run_dir, summarise(experiment.run_dir.metrics))
    assert read(experiment).metrics["val/loss"].last == 0.5
    assert not RunsRoot(experiment.launch.root).summaries.exists()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_damaged_or_foreign_file_only_costs_time(experiment: Experiment, content: bytes) -> None:
    RunsRoot(experiment.launch.root).summaries.write_bytes(content)
    assert read(experiment).metrics["val/loss"].last == 0.5


def test_a_damaged_file_makes_room_for_a_whole_one(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunsRoot(experiment.launch.root).summaries.write_bytes(b"garbage" * 1000)
    first = read(experiment)
    monkeypatch.setattr(module, "summarise", lambda *_: pytest.fail("parsed again"))
    assert read(experiment) == first


def test_a_folder_in_its_place_too(experiment: Experiment) -> None:
    RunsRoot(experiment.launch.root).summaries.mkdir()
    assert read(experiment).metrics["val/loss"].last == 0.5


def test_before_the_first_row_there_is_nothing_to_keep(tmp_path: Path) -> None:
    [never_started] = make_launch(tmp_path)
    assert read(never_started) == Summary()
    assert not RunsRoot(tmp_path).summaries.exists()


def test_of_many_experiments_summaries_are_kept_too(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MANY", 1)
    write_summary(experiment.run_dir, summarise(experiment.run_dir.metrics))
    first = read(experiment)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_summary", lambda *_: pytest.fail("read again"))
        assert read(experiment) == first
    log(experiment, 0.1)  # the summary is as it was
    assert read(experiment).metrics["val/loss"].least == 0.1


@pytest.mark.parametrize("text", ["", "[]", "[1, 2, 3]", '[1, 2, {"a": 3}]', '[1, 2, {"a": [3]}]'])
def test_what_somebody_else_kept_there_is_read_anew(experiment: Experiment, text: str) -> None:
    expected = read(experiment)
    with closing(sqlite3.connect(RunsRoot(experiment.launch.root).summaries)) as database, database:
        database.execute("UPDATE v2 SET summary = ?", (text,))
    assert read(experiment) == expected
