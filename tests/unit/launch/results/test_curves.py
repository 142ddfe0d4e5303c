"""Curves and clocks of journals, thinned and read anew only where they grew."""

import math
from pathlib import Path

import pytest

from launch.results import curves as module
from launch.results.curves import (
    KNOTS,
    LONGEST,
    SHORTEST,
    CurvesReader,
    curves_of,
    longest_among,
)
from pcm.run_dir import JournalWriter, Row
from pcm.run_dir.journal import lost_seconds


def rows(count: int) -> list[Row]:
    return [Row(1, step, step // 10, 36.0 * step, {"loss": 1 / step}) for step in range(1, count)]


def test_short_curves_are_as_they_were_logged() -> None:
    found = curves_of(rows(100))
    assert list(found.metrics["loss"].steps) == list(range(1, 100))
    assert found.metrics["loss"].values[49] == 1 / 50


def test_long_ones_keep_both_ends_and_every_peak() -> None:
    logged = [Row(1, step, 0, 0.0, {"loss": 1.0}) for step in range(50_000)]
    logged[31_234].values["loss"] = 9.0
    logged[12_345].values["loss"] = -9.0
    logged[20_000].values["loss"] = math.nan
    curve = curves_of(logged).metrics["loss"]
    assert len(curve.steps) <= LONGEST
    assert (curve.steps[0], curve.steps[-1]) == (0, 49_999)
    assert list(curve.steps) == sorted(curve.steps)
    assert (max(curve.values), min(curve.values)) == (9.0, -9.0)


def test_the_clock_stands_still_between_two_attempts() -> None:
    logged = [Row(1, 1, 0, 0.0, {}), Row(1, 2, 0, 3600.0, {}), Row(2, 3, 1, 90_000.0, {})]
    clock = curves_of([*logged, Row(2, 4, 1, 93_600.0, {})]).clock
    assert clock.hours == [0.0, 1.0, 1.0, 2.0]
    assert len(curves_of(rows(1000)).clock.steps) == KNOTS


def test_a_journal_is_read_again_where_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, reader = tmp_path / "metrics.jsonl", CurvesReader()
    assert reader.read(journal).metrics == {}
    writer = JournalWriter(journal, 1, None)
    writer.append(1, 0, 0.0, {"loss": 2.0})
    first = reader.read(journal)
    with monkeypatch.context() as patch:
        patch.setattr(module, "read_journal", lambda *_: pytest.fail("read again"))
        assert reader.read(journal) is first
    writer.append(2, 0, 1.0, {"loss": 1.0})
    assert list(reader.read(journal).metrics["loss"].values) == [2.0, 1.0]
    writer.close()


def test_of_very_many_curves_fewer_points_are_kept_of_each(tmp_path: Path) -> None:
    assert [longest_among(count) for count in (0, 500, 2000, 10_000)] == [1000, 1000, 1000, 200]
    assert longest_among(10**6) == SHORTEST
    logged = [Row(1, step, 0, 0.0, {"loss": math.sin(step)}) for step in range(1000)]
    logged[321].values["loss"], logged[654].values["loss"] = 9.0, -9.0
    curve = curves_of(logged, 200).metrics["loss"]
    assert len(curve.steps) <= 200
    assert (curve.steps[0], curve.steps[-1]) == (0, 999)
    assert {step: curve.values[list(curve.steps).index(step)] for step in (321, 654)} == {
        321: 9.0,
        654: -9.0,
    }
    journal, reader = tmp_path / "metrics.jsonl", CurvesReader()
    writer = JournalWriter(journal, 1, None)
    for row in logged:
        writer.append_row(row)
    writer.close()
    for longest in (1000, 200, 1000):  # as experiments come and go
        assert len(reader.read(journal, longest).metrics["loss"].steps) == pytest.approx(
            longest, rel=0.05
        )


def test_a_step_of_any_size_is_kept() -> None:
    curve = curves_of([Row(1, 10**30, 0, 0.0, {"loss": 1.0})]).metrics["loss"]
    assert list(curve.steps) == [10**30]


def test_what_was_computed_twice_is_between_the_last_that_counts_and_the_last_that_does_not(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "metrics.jsonl"
    for attempt, resumed_from, start in ((1, None, 100.0), (2, 20, 1000.0)):
        writer = JournalWriter(journal, attempt, resumed_from)
        for row in range(4):
            step = (resumed_from or 0) + 10 * (row + 1)
            writer.append(step, 0, start + row, {})
        writer.close()
    # Of steps 10, 20, 30, 40 at 100 to 103 s, the last two came again.
    assert lost_seconds(journal) == 2.0
    assert lost_seconds(tmp_path / "none") == 0.0
