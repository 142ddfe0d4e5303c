"""What somebody wants to see of some results: which rows, in which order, in which columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from launch.results.columns import COSTS, Columns, Named
from launch.results.moments import is_more_better
from launch.results.ordering import ordered
from launch.results.rows import Result
from launch.results.where import parse_where


@dataclass(frozen=True, slots=True)
class Query:
    """A choice of rows.

    Attributes:
        where: an expression, see `launch.results.where`; None for all.
        sort: a column's name; None leaves them in the grid's order.
        reverse: the greatest first.
        top: so many rows; None for all.
        columns: names, in place of the usual ones.
        metrics: names, in place of the metrics that are usually shown.
    """

    where: str | None = None
    sort: str | None = None
    reverse: bool = False
    top: int | None = None
    columns: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()

    @property
    def needs_costs(self) -> bool:
        """Whether hours or attempts matter, for which all attempts must be looked at."""
        texts = [self.where or "", self.sort or "", *self.columns, *self.metrics]
        return any(cost in text for cost in COSTS for text in texts)

    def choose(self, results: Sequence[Result]) -> list[Result]:
        """The rows that are meant, in their order.

        Raises:
            UsageError: it names what no row has, or makes no sense.
        """
        return self.first(self.filtered(results), results)

    def filtered(self, results: Sequence[Result]) -> list[Result]:
        """The rows that the expression lets through, in the grid's order.

        Raises:
            UsageError: it names what no row has, or makes no sense.
        """
        if self.where is None:
            return list(results)
        return list(filter(parse_where(self.where, Columns(results)), results))

    def first(self, filtered: Sequence[Result], results: Sequence[Result]) -> list[Result]:
        """The first so many of them in the order that is asked for.

        Args:
            results: all rows, whose columns have names.

        Raises:
            UsageError: there is no such column.
        """
        chosen, by = list(filtered), self.order
        if by is not None:
            descending = self.is_descending(results)
            chosen = ordered(chosen, Columns(results).find(by).of, descending=descending)
        return chosen[: self.top]

    @property
    def order(self) -> str | None:
        """The column that decides; None leaves them in the grid's order."""
        if self.sort is not None or self.top is None:
            return self.sort
        return next(iter(self.metrics), None)

    def is_descending(self, results: Sequence[Result]) -> bool:
        """Whether the greatest comes first, as it also does where a metric's top is its best."""
        if self.reverse or self.sort is not None or self.order is None:
            return self.reverse
        return is_more_better(results, self.order)

    def named(self, results: Sequence[Result]) -> list[Named] | None:
        """The columns that were asked for; None where the usual ones are to be shown.

        Raises:
            UsageError: there is no such column.
        """
        if not self.columns and not self.metrics:
            return None
        columns = Columns(results)
        several = ["sweep"] if len({row.sweep for row in results}) > 1 else []
        head = [columns.find(name) for name in self.columns or ("id", *several, "state")]
        axes = [] if self.columns else columns.axes
        named = [*head, *axes, *map(columns.find, self.metrics)]
        return list({each.name: each for each in named}.values())
