"""The metrics journal: nothing lost, nothing twice, whatever the writer dies of."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pcm.run_dir import JournalWriter, Row, read_journal, write_metrics_table
from pcm.run_dir.journal import AT_ONCE
from pcm.run_dir.typed_json import Damaged


def append(path: Path, attempt: int, resumed: int | None, steps: list[int]) -> None:
    writer = JournalWriter(path, attempt, resumed)
    for step in steps:
        writer.append(step, step // 10, 100.0 + step, {"loss": attempt + step / 100})
    writer.close()


def steps_of(path: Path) -> list[tuple[int, int]]:
    return [(row.attempt, row.step) for row in read_journal(path)]


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "metrics.jsonl"


def test_rows_come_back(path: Path) -> None:
    append(path, 1, None, [1, 2])
    assert read_journal(path) == [
        Row(1, 1, 0, 101.0, {"loss": 1.01}),
        Row(1, 2, 0, 102.0, {"loss": 1.02}),
    ]


def test_no_journal_yet(path: Path) -> None:
    assert read_journal(path) == []


def test_a_resumed_attempt_replaces_what_was_lost(path: Path) -> None:
    append(path, 1, None, [1, 2, 3, 4])
    append(path, 2, 2, [3, 4, 5])
    assert steps_of(path) == [(1, 1), (1, 2), (2, 3), (2, 4), (2, 5)]


def test_a_resume_from_the_beginning_replaces_everything(path: Path) -> None:
    append(path, 1, None, [1, 2])
    append(path, 2, 0, [1])
    assert steps_of(path) == [(2, 1)]


def test_resumes_of_resumes(path: Path) -> None:
    append(path, 1, None, [1, 2, 3, 4, 5])
    append(path, 2, 3, [4, 5, 6])
    append(path, 3, 1, [2])
    assert steps_of(path) == [(1, 1), (3, 2)]


def test_a_torn_line_is_ended_before_the_next_attempt(path: Path) -> None:
    append(path, 1, None, [1, 2])
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    append(path, 2, 1, [2, 3])
    assert steps_of(path) == [(1, 1), (2, 2), (2, 3)]


@pytest.mark.parametrize("rubbish", ["", "\n", "nothing\n", "3\n", "[1]\n", "null\n"])
def test_lines_that_are_no_rows_are_left_out(path: Path, rubbish: str) -> None:
    path.write_text(rubbish)
    append(path, 1, None, [1])
    assert steps_of(path) == [(1, 1)]


@pytest.mark.parametrize("place", [0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE])
def test_a_damaged_line_among_thousands_costs_no_other(path: Path, place: int) -> None:
    lines = [
        f'{{"attempt": 1, "step": {step}, "epoch": 0, "time": 1, "values": {{"loss": {step}}}}}\n'
        for step in range(2 * AT_ONCE + 1)
    ]
    lines[place] = '{"attempt": 1, "step": "one", "epoch": 0, "time": 1, "values": {}}\n'
    path.write_text("".join(lines))
    damaged: list[Damaged] = []
    rows = read_journal(path, damaged.append)
    assert [row.step for row in rows] == [step for step in range(len(lines)) if step != place]
    assert [(each.line, each.reason) for each in damaged] == [
        (place + 1, "its 'step' is no whole number")
    ]
    lines[place] = "rubbish\n"
    path.write_text("".join(lines))
    damaged.clear()
    assert read_journal(path, damaged.append) == rows
    assert [each.line for each in damaged] == [place + 1]


def test_rows_are_in_the_order_of_their_steps(path: Path) -> None:
    append(path, 1, None, [2, 1, 3])
    assert [row.step for row in read_journal(path)] == [1, 2, 3]


def test_a_row_is_there_as_soon_as_it_is_appended(path: Path) -> None:
    writer = JournalWriter(path, 1, None)
    writer.append(1, 0, 0.0, {"loss": 1.0})
    assert steps_of(path) == [(1, 1)]
    writer.close()


def test_numbers_that_are_no_numbers_survive(path: Path) -> None:
    writer = JournalWriter(path, 1, None)
    writer.append(1, 0, 0.0, {"a": math.nan, "b": math.inf, "c": -math.inf})
    writer.close()
    (row,) = read_journal(path)
    assert math.isnan(row.values["a"])
    assert (row.values["b"], row.values["c"]) == (math.inf, -math.inf)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None
)
@given(cut=st.integers(0, 400))
def test_wherever_the_writer_is_killed_whole_rows_are_kept(path: Path, cut: int) -> None:
    path.unlink(missing_ok=True)
    append(path, 1, None, [1, 2, 3])
    whole = path.read_bytes()[:cut]
    path.write_bytes(whole)
    kept = [step for step in (1, 2, 3) if whole.count(b"}}") >= step]
    assert [row.step for row in read_journal(path)] == kept
    append(path, 2, 0, [1])
    assert steps_of(path) == [(2, 1)]


def test_the_table(path: Path, folder: Path) -> None:
    writer = JournalWriter(path, 1, None)
    writer.append(1, 0, 0.0, {"train/loss": 0.1 + 0.2})
    writer.append(2, 0, 0.0, {"train/loss": 1e-9})
    writer.append(2, 0, 1.0, {"val/loss, total": 3.0})
    writer.close()
    table = folder / "metrics.csv"
    write_metrics_table(path, table)
    with table.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows == [
        ["step", "epoch", "train/loss", "val/loss, total"],
        ["1", "0", "0.30000000000000004", ""],
        ["2", "0", "1e-09", "3.0"],
    ]


def test_the_table_of_nothing(path: Path, folder: Path) -> None:
    write_metrics_table(path, folder / "metrics.csv")
    assert (folder / "metrics.csv").read_text() == "step,epoch\n"
