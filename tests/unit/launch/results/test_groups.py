"""Means over seeds, and when one is called the best."""

import pytest

from launch.report.groups_table import groups_records, groups_sheet
from launch.results.columns import Columns
from launch.results.groups import clearly_best, grouped
from launch.results.rows import Result
from tests.unit.launch.results.samples import LR, SWEEP, metric, result


def sweep_of(good: list[float], bad: list[float]) -> list[Result]:
    rows = [(1e-3, value) for value in good] + [(1e-4, value) for value in bad]
    return [
        result(index, lr, index, val_loss=metric(value)) for index, (lr, value) in enumerate(rows)
    ]


def groups_of(rows: list[Result]) -> tuple[list[list[str]], int | None]:
    columns = Columns(rows)
    axes, metrics = columns.but("seed"), [columns.find("val/loss")]
    groups = grouped(rows, axes, metrics)
    _, cells = groups_sheet(groups, axes, metrics, [False])
    return cells, clearly_best(groups, 0, greatest=False)


def test_mean_deviation_and_count() -> None:
    cells, best = groups_of(sweep_of([1.0, 2.0, 3.0], [7.0, 8.0, 9.0]))
    assert cells == [["0.001", "3", "2 ± 1 *"], ["0.0001", "3", "8 ± 1"]]
    assert best == 0


def test_a_difference_that_may_be_noise_is_not_marked() -> None:
    cells, best = groups_of(sweep_of([1.0, 5.0], [2.0, 6.0]))
    assert best is None
    assert not any("*" in cell for row in cells for cell in row)


@pytest.mark.parametrize(("good", "bad"), [([1.0], [2.0]), ([1.0, 1.0], [])])
def test_of_single_results_nobody_can_tell(good: list[float], bad: list[float]) -> None:
    assert groups_of(sweep_of(good, bad))[1] is None


def test_more_may_be_better() -> None:
    rows = sweep_of([1.0, 1.1], [7.0, 7.1])
    columns = Columns(rows)
    groups = grouped(rows, columns.but("seed"), [columns.find("val/loss")])
    assert clearly_best(groups, 0, greatest=True) == 1


def test_records_have_exact_numbers_and_what_has_no_metric_counts() -> None:
    columns = Columns(SWEEP)
    axes, metrics = columns.but("seed"), [columns.find("val/loss:min")]
    records = groups_records(grouped(SWEEP, axes, metrics), axes, metrics)
    assert records[1] == {
        "axes": {LR: 1e-4},
        "count": 2,
        "metrics": {"val/loss:min": {"n": 1, "mean": 0.8, "std": None}},
    }
