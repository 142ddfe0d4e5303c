"""Tables that fit the terminal and never cut an id."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pcm.printable import printable_line

PIPE_WIDTH = 10_000
"""Columns of a console that nobody looks at: one row, one line, for grep and awk."""

MIN_WIDTH = 6
"""Of what may be folded, so that a narrow terminal has room for the rest."""

STYLES = {
    "running": "cyan",
    "stopping": "yellow",
    "stopped": "yellow",
    "requeued": "yellow",
    "done": "green",
    "failed": "bold red",
    "lost": "bold red",
    "cancelled": "dim",
    "pending": "dim",
}
"""Colours of the states."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        number: flush right.
        fold: may run over several lines where the terminal is narrow; others stay whole.
    """

    title: str
    number: bool = False
    fold: bool = False


def console(*, err: bool = False) -> Console:
    """The terminal as it is; where the output is a pipe or a file, lines are never broken."""
    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(stderr=err, width=width, highlight=False, soft_wrap=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines; cells that name a state are coloured."""
    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    lines = list(rows)
    for column, wide in zip(columns, _widths(columns, lines), strict=True):
        result.add_column(
            Text(printable_line(column.title)),
            justify="right" if column.number else "left",
            no_wrap=not column.fold,
            overflow="fold",
            min_width=min(wide, MIN_WIDTH) if column.fold else None,
        )
    for line in lines:
        # Text, not str: a name with [brackets] is a name, not markup.
        result.add_row(*(Text(printable_line(cell), style=STYLES.get(cell, "")) for cell in line))
    return result


def width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Terminal columns that the table takes when nothing is folded."""
    cells = _widths(columns, rows)
    return sum(cells) + 2 * (len(cells) - 1)


def least_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Terminal columns that it needs at least, so that nothing is cut."""
    pairs = zip(columns, _widths(columns, rows), strict=True)
    cells = [min(wide, MIN_WIDTH) if column.fold else wide for column, wide in pairs]
    return sum(cells) + 2 * (len(cells) - 1)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    texts = zip([column.title for column in columns], *rows, strict=True)
    return [max(cell_len(printable_line(text)) for text in column) for column in texts]
