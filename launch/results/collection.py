"""All rows of some sweeps together, for Python: the best one, and tables of other libraries."""

import json
import math
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from launch.results.columns import FACTS, Columns, Named, names_like
from launch.results.rows import Result
from pcm.errors import NotFoundError, UsageError
from pcm.run_dir import atomic_writer
from pcm.run_dir.checkpointing import Mode


class Results(list[Result]):
    """One row a point, in the grid's order; a list with a few words more."""

    def best(self, metric: str, mode: str = "min") -> Result:
        """The row with the best value of a metric, whenever in its training it had that.

        Args:
            metric: its name.
            mode: min or max.

        Raises:
            UsageError: the mode is another word.
            NotFoundError: no row has a number there.
        """
        if mode not in set(Mode):
            raise UsageError(f"no mode {mode!r}", f"there is {' and '.join(Mode)}")
        is_max = mode == Mode.MAX
        having = [
            (value, row)
            for row in self
            if (value := _best_value(row, metric, greatest=is_max)) is not None
        ]
        if not having:
            names = names_like(metric, Columns(self).metrics) or "none at all"
            raise NotFoundError(f"no result has the metric '{metric}'", f"there is {names}")
        pick = max if is_max else min
        return pick(having, key=lambda pair: pair[0])[1]

    def columns(self) -> dict[str, list[Any]]:
        """Each column's values: facts, axes by their paths, last values of metrics."""
        every = Columns(self)
        named = [Named(name, name, of) for name, of in FACTS.items()]
        named += [*every.axes, *map(every.find, every.metrics)]
        return columns_of(self, named)

    def pandas(self) -> Any:
        """The rows as a `DataFrame` of pandas.

        Raises:
            UsageError: it is not installed here.
        """
        return _library("pandas").DataFrame(self.columns())

    def polars(self) -> Any:
        """The rows as a `DataFrame` of Polars.

        Raises:
            UsageError: it is not installed here.
        """
        return _library("polars").DataFrame(self.columns(), strict=False)


def columns_of(rows: Iterable[Result], named: Iterable[Named]) -> dict[str, list[Any]]:
    """The values of columns by their paths, each column of one type."""
    found = list(rows)
    return {each.path: _of_one_type([each.of(row) for row in found]) for each in named}


def write_parquet(columns: dict[str, list[Any]], path: Path) -> None:
    """Write columns by whichever library can, as a whole or not at all.

    Raises:
        UsageError: none is installed here.
    """
    try:
        arrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        frame = _library("polars", "Parquet needs pyarrow or ").DataFrame(columns)
        with atomic_writer(path) as stream:
            frame.write_parquet(stream)
    else:
        with atomic_writer(path) as stream:
            parquet.write_table(arrow.table(columns), stream)


def _best_value(row: Result, metric: str, *, greatest: bool) -> float | None:
    summary = row.summaries.get(metric)
    if summary is None:
        return None
    value = summary.greatest if greatest else summary.least
    return value if value is not None and math.isfinite(value) else None


def _of_one_type(values: list[Any]) -> list[Any]:
    """Numbers as they are; what is neither all numbers, nor all text, as text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} or kinds <= {bool}:
        return values
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [None if value is None else _text(value) for value in values]


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str) else json.dumps(value, default=str)


def _library(name: str, why: str = "this needs ") -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise UsageError(
            f"{why}{name}, which is not installed here", f"pip install {name}"
        ) from None
