"""What somebody wants to see of some results: which rows, in which order, in which columns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from launch.results.columns import COSTS, Columns, Named
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
    metrics: tuple[str, ...] = field(default=())

    @property
    def needs_costs(self) -> bool:
        """Whether hours or attempts matter, for which all attempts must be looked at."""
        texts = [self.where or "", self.sort or "", *self.columns]
        return any(cost in text for cost in COSTS for text in texts)

    def choose(self, results: Sequence[Result]) -> list[Result]:
        """The rows that are meant, in their order.

        Raises:
            UsageError: it names what no row has, or makes no sense.
        """
        columns = Columns(results)
        chosen = list(results)
        if self.where is not None:
            chosen = list(filter(parse_where(self.where, columns), chosen))
        by = self.sort if self.sort is not None or self.top is None else self._first_metric()
        if by is not None:
            chosen = ordered(chosen, columns.find(by).of, descending=self.reverse)
        return chosen[: self.top]

    def named(self, results: Sequence[Result]) -> list[Named] | None:
        """The columns that were asked for; None where the usual ones are to be shown.

        Raises:
            UsageError: there is no such column.
        """
        if not self.columns and not self.metrics:
            return None
        columns = Columns(results)
        head = [columns.find(name) for name in self.columns or ("id", "state")]
        axes = [] if self.columns else columns.axes
        return [*head, *axes, *map(columns.find, self.metrics)]

    def _first_metric(self) -> str | None:
        """What the first so many are the first of, if nobody says."""
        return next(iter(self.metrics), None)
