"""Groups of points, such as all seeds of the same settings: means and how far they spread."""

from collections.abc import Sequence
from typing import Any

from launch.report.table import Column
from launch.results.columns import Named
from launch.results.groups import Group, Spread, clearly_best
from launch.text import number

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
            *(str(value) if value is not None else "" for value in group.values),
            str(group.count),
            *(
                _spread(spread, is_best=best[index] == place)
                for index, spread in enumerate(group.spreads)
            ),
        ]
        for place, group in enumerate(groups)
    ]
    return head, rows


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


def _spread(spread: Spread, *, is_best: bool) -> str:
    if spread.mean is None:
        return ""
    mean = number(spread.mean)
    text = mean if spread.deviation is None else f"{mean} ± {number(spread.deviation)}"
    return f"{text} {BEST}" if is_best else text
