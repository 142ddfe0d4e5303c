"""Summaries of journals: at their end, in the middle, after a resume, of earlier versions."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcm.run_dir import JournalWriter, RunDir
from pcm.run_dir.summary import (
    MetricSummary,
    Summary,
    read_summary,
    summarise,
    write_summary,
)


@pytest.fixture
def run_dir(tmp_path: Path) -> RunDir:
    return RunDir(tmp_path)


def write_rows(run_dir: RunDir, values: list[float], first: int = 1) -> JournalWriter:
    writer = JournalWriter(run_dir.metrics, 1, None)
    for step, value in enumerate(values, first):
        writer.append(step, 0, 0.0, {"val/loss": value})
    return writer


def test_last_least_and_greatest_with_their_steps(run_dir: RunDir) -> None:
    write_rows(run_dir, [3.0, 1.0, 5.0, 1.0, 2.0])
    assert summarise(run_dir.metrics).metrics["val/loss"] == MetricSummary(2.0, 5, 1.0, 2, 5.0, 3)


def test_what_is_no_number_is_neither_least_nor_greatest(run_dir: RunDir) -> None:
    write_rows(run_dir, [math.nan, 1.0, math.inf])
    found = summarise(run_dir.metrics).metrics["val/loss"]
    assert (found.last, found.least, found.greatest) == (math.inf, 1.0, 1.0)
    write_summary(run_dir, summarise(run_dir.metrics))
    assert read_summary(run_dir) == summarise(run_dir.metrics)


def test_rows_since_the_summary_are_read_from_the_journal(run_dir: RunDir) -> None:
    writer = write_rows(run_dir, [3.0, 1.0])
    write_summary(run_dir, summarise(run_dir.metrics))
    writer.append(3, 0, 0.0, {"val/loss": 0.5, "val/acc": 0.9})
    found = read_summary(run_dir)
    assert found is not None
    assert found.step == 3
    assert found.metrics == summarise(run_dir.metrics).metrics


def test_where_a_resume_takes_rows_back_only_the_journal_tells(run_dir: RunDir) -> None:
    write_rows(run_dir, [3.0, 0.1, 0.2])
    write_summary(run_dir, summarise(run_dir.metrics))
    JournalWriter(run_dir.metrics, 2, 1).append(2, 0, 0.0, {"val/loss": 2.0})
    assert read_summary(run_dir) is None
    assert summarise(run_dir.metrics).metrics["val/loss"].least == 2.0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"step": "one"}', '{"metrics": {"a": 1}}'])
def test_a_damaged_summary_counts_as_none(run_dir: RunDir, content: str) -> None:
    write_rows(run_dir, [1.0])
    run_dir.summary.write_text(content)
    assert read_summary(run_dir) is None


def test_a_journal_that_got_shorter_is_read_anew(run_dir: RunDir) -> None:
    write_rows(run_dir, [1.0, 2.0])
    write_summary(run_dir, summarise(run_dir.metrics))
    run_dir.metrics.write_text(json.dumps({"step": 1})[:5])
    assert read_summary(run_dir) is None


def test_before_the_first_row_there_is_nothing(run_dir: RunDir) -> None:
    assert read_summary(run_dir) is None
    assert summarise(run_dir.metrics) == Summary()


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_one_row_after_the_other_comes_to_the_same(values: list[float]) -> None:
    def rows(part: list[float], first: int) -> Summary:
        summary = Summary()
        for step, value in enumerate(part, first):
            former = summary.metrics.get("m", MetricSummary(value, step))
            summary = Summary(step, {"m": former.after(value, step)})
        return summary

    found = rows(values, 1).metrics["m"]
    finite = [value for value in values if math.isfinite(value)]
    assert found.last == values[-1]
    assert found.least == (min(finite) if finite else None)
    assert found.greatest == (max(finite) if finite else None)
    if finite:
        assert found.least_step == values.index(min(finite)) + 1
