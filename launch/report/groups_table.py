"""Groups of points, such as all seeds of the same settings: means and how far they spread."""

from collections.abc import Sequence
from typing import Any

from launch.report.results import csv_text
from launch.report.table import Column
from launch.results.columns import Named
from launch.results.groups import Group, Spread, clearly_best
from launch.text import number, word

BEST = "*"
"""After the mean that is best by more than noise."""


def groups_sheet(
    groups: Sequence[Group],
    axes: Sequence[Named],
    metrics: Sequence[Named],
    greatest: Sequence[bool],
) -> tuple[list[Column], list[list[str]]]:
    """Titles and cells: the axes, n, and `mean ± standard deviation` of each metric.

    Args:
        greatest: for each metric, whether more of it is better.
    """
    best = [
        clearly_best(groups, index, greatest=is_greatest)
        for index, is_greatest in enumerate(greatest)
    ]
    head = [
        *(Column(axis.name, fold=True) for axis in axes),
        Column("n", number=True),
        *(Column(metric.name, number=True) for metric in metrics),
    ]
    rows = [
        [
            *map(word, group.values),
            str(group.count),
            *(
                _spread(spread, group.count, is_best=best[index] == place)
                for index, spread in enumerate(group.spreads)
            ),
        ]
        for place, group in enumerate(groups)
    ]
    return head, rows


def legend(metrics: Sequence[Named], greatest: Sequence[bool]) -> str:
    """What stands in the cells, and what the mark says of each metric."""
    most = [each.name for each, is_greatest in zip(metrics, greatest, strict=True) if is_greatest]
    if len(most) == len(metrics):
        marked = "the greatest"
    else:
        marked = "the least" + (f", of {', '.join(most)} the greatest," if most else "")
    return f"mean ± standard deviation; {BEST} is {marked} by more than noise"


def groups_records(
    groups: Sequence[Group], axes: Sequence[Named], metrics: Sequence[Named]
) -> list[dict[str, Any]]:
    """The groups for programs."""
    return [
        {
            "axes": dict(zip((axis.path for axis in axes), group.values, strict=True)),
            "count": group.count,
            "metrics": {
                metric.path: {"n": spread.n, "mean": spread.mean, "std": spread.deviation}
                for metric, spread in zip(metrics, group.spreads, strict=True)
            },
        }
        for group in groups
    ]


def groups_csv(groups: Sequence[Group], axes: Sequence[Named], metrics: Sequence[Named]) -> str:
    """The groups for a spreadsheet: exact numbers, each in a column of its own."""
    titles = [axis.path for axis in axes] + ["n"]
    titles += [f"{metric.path}{part}" for metric in metrics for part in ("", " std", " n")]
    rows = [
        [
            *group.values,
            group.count,
            *(
                value
                for spread in group.spreads
                for value in (spread.mean, spread.deviation, spread.n)
            ),
        ]
        for group in groups
    ]
    return csv_text(titles, rows)


def _spread(spread: Spread, count: int, *, is_best: bool) -> str:
    if spread.mean is None:
        return ""
    mean = number(spread.mean)
    text = mean if spread.deviation is None else f"{mean} ± {number(spread.deviation)}"
    text = text if spread.n == count else f"{text} (n={spread.n})"
    return f"{text} {BEST}" if is_best else text
