"""Means over seeds, and when one is called the best."""

import math

import pytest

from launch.report.groups_table import groups_csv, groups_records, groups_sheet, legend
from launch.results.columns import Columns
from launch.results.groups import clearly_best, group_value, grouped
from launch.results.rows import Result
from pcm.errors import UsageError
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


def test_the_legend_says_which_way_is_marked() -> None:
    metrics = [Columns(SWEEP).find(name) for name in ("val/loss", "val/loss:max")]
    assert legend(metrics, [False, False]).endswith("* is the least by more than noise")
    assert legend(metrics, [True, True]).endswith("* is the greatest by more than noise")
    mixed = "* is the least, of val/loss:max the greatest, by more than noise"
    assert legend(metrics, [False, True]).endswith(mixed)


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


def test_a_mean_says_of_how_many_it_is_where_some_have_no_number() -> None:
    cells, _ = groups_of(sweep_of([1.0, 3.0, math.nan], [math.inf, 5.0]))
    assert [row[2] for row in cells] == ["2 ± 1.414 (n=2)", "5 (n=1)"]


def test_what_has_diverged_is_no_overflow() -> None:
    cells, best = groups_of(sweep_of([1e300, -1e300], [1e308, 1.5e308]))
    assert best is None
    assert [row[2] for row in cells] == ["0 ± 1.414e+300", "inf ± 3.536e+307"]


def test_what_is_no_number_has_no_mean() -> None:
    columns = Columns(SWEEP)
    [group] = grouped(SWEEP, [], [columns.find("name"), columns.find("lr")])
    assert [spread.n for spread in group.spreads] == [0, 4]


def test_a_spreadsheet_has_each_number_in_a_column_of_its_own() -> None:
    columns = Columns(SWEEP)
    axes, metrics = columns.but("seed"), [columns.find("val/loss:min")]
    text = groups_csv(grouped(SWEEP, axes, metrics), axes, metrics)
    head, _, last = text.splitlines()
    assert head == f"{LR},n,val/loss:min,val/loss:min std,val/loss:min n"
    assert last == "0.0001,2,0.8,,1"


def test_groups_are_sorted_by_what_they_have() -> None:
    columns = Columns(SWEEP)
    axes, metrics = columns.but("seed"), [columns.find("val/loss")]
    group = grouped(SWEEP, axes, metrics)[1]
    assert group_value("lr", axes, metrics)(group) == 1e-4
    assert group_value("val/loss", axes, metrics)(group) == 0.9
    with pytest.raises(UsageError, match="no column 'seed'"):
        group_value("seed", axes, metrics)
