"""Tables that fit the terminal and never cut an id.

By hand, since rich takes 45 ms to import and half a millisecond a row: it draws what moves.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from pcm.printable import printable_line

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.text import Text

PIPE_WIDTH = 10_000
"""Columns of a console that nobody looks at: one row, one line, for grep and awk."""

USUAL_WIDTH = 80
"""Of a terminal that does not say."""

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

HEAD = "bold"

CODES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
}
"""What a terminal calls them."""

GAP = "  "

Piece = tuple[str, str]
"""Text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        number: flush right.
        fold: may run over several lines where the terminal is narrow; others stay whole.
    """

    header: str
    number: bool = False
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A heading, a rule, and rows; rich takes it, too."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self, room: int, rule: str = "\u2500") -> Iterator[list[Piece]]:
        """Its lines, in so many columns of a terminal if that can be."""
        widths = _fitted(self.columns, _widths(self.columns, self.rows), room)
        heads = tuple(column.header for column in self.columns)
        yield from self._row(heads, widths, dict.fromkeys(heads, HEAD))
        yield [(rule * (sum(widths) + len(GAP) * (len(widths) - 1)), "")]
        for row in self.rows:
            yield from self._row(row, widths, STYLES)

    def _row(
        self, row: Sequence[str], widths: Sequence[int], styles: dict[str, str]
    ) -> Iterator[list[Piece]]:
        folded = [_folded(cell, wide) for cell, wide in zip(row, widths, strict=True)]
        for level in range(max(map(len, folded), default=0)):
            pieces: list[Piece] = []
            for column, cell, parts, wide in zip(self.columns, row, folded, widths, strict=True):
                text = parts[level] if level < len(parts) else ""
                blank = " " * (wide - cell_length(text))
                pieces.append(
                    (blank + text if column.number else text + blank, styles.get(cell, ""))
                )
                pieces.append((GAP, ""))
            yield pieces[:-1]

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "Iterator[Text]":
        from rich.text import Text

        rule = "-" if options.ascii_only else "\u2500"
        for line in self.lines(options.max_width, rule):
            yield Text.assemble(*line, no_wrap=True, overflow="crop")


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines; cells that name a state are coloured."""
    shown = (tuple(printable_line(cell) for cell in row) for row in rows)
    heads = (
        Column(printable_line(each.header), number=each.number, fold=each.fold) for each in columns
    )
    return Table(tuple(heads), tuple(shown))


def print_table(shown: Table, *, err: bool = False) -> None:
    """Print it as wide as the terminal; where nobody looks lines are never broken."""
    stream = sys.stderr if err else sys.stdout
    has_colours, is_wide = _has_colours(stream), (stream.encoding or "").lower().startswith("utf")
    lines = shown.lines(terminal_width(err=err), "\u2500" if is_wide else "-")
    stream.writelines(f"{_text(line, has_colours=has_colours)}\n" for line in lines)
    stream.flush()


def terminal_width(*, err: bool = False) -> int:
    """Columns of the terminal as it is, or as somebody says; `PIPE_WIDTH` where there is none."""
    stream = sys.stderr if err else sys.stdout
    if "COLUMNS" in os.environ:
        return int(os.environ["COLUMNS"])
    if not stream.isatty():
        return PIPE_WIDTH
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except (OSError, ValueError):
        return USUAL_WIDTH


def console(*, err: bool = False) -> "Console":
    """The same for rich, which draws what moves."""
    from rich.console import Console

    width = None if (sys.stderr if err else sys.stdout).isatty() else terminal_width(err=err)
    return Console(stderr=err, width=width, highlight=False, soft_wrap=False)


def width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Terminal columns that the table takes when nothing is folded."""
    cells = _printable_widths(columns, rows)
    return sum(cells) + len(GAP) * (len(cells) - 1)


def least_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """Terminal columns that it needs at least, so that nothing is cut."""
    pairs = zip(columns, _printable_widths(columns, rows), strict=True)
    cells = [min(wide, MIN_WIDTH) if column.fold else wide for column, wide in pairs]
    return sum(cells) + len(GAP) * (len(cells) - 1)


def cell_length(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _printable_widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    return _widths(columns, [[printable_line(cell) for cell in row] for row in rows])


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    texts = zip([printable_line(column.header) for column in columns], *rows, strict=True)
    return [max(map(cell_length, column)) for column in texts]


def _fitted(columns: Sequence[Column], widths: Sequence[int], room: int) -> list[int]:
    """Widths for so much room: the widest of what may be folded gives way first."""
    found = list(widths)
    excess = sum(found) + len(GAP) * (len(found) - 1) - room
    places = [place for place, column in enumerate(columns) if column.fold]
    while excess > 0 and places:
        widest = max(places, key=found.__getitem__)
        if found[widest] <= MIN_WIDTH:
            break
        found[widest] -= 1
        excess -= 1
    return found


def _folded(cell: str, wide: int) -> list[str]:
    """A cell in lines that are no wider, broken after a space where there is one."""
    if cell_length(cell) <= wide:
        return [cell]
    parts = []
    while cell_length(cell) > wide:
        end = wide
        while cell_length(cell[:end]) > wide:
            end -= 1
        space = cell.rfind(" ", 0, end + 1)
        end = space if space > 0 else max(1, end)
        parts.append(cell[:end])
        cell = cell[end:].removeprefix(" ")
    return [*parts, cell]


def _has_colours(stream: TextIO) -> bool:
    """Whether it is a terminal that has any, and nobody minds."""
    if os.environ.get("NO_COLOR"):
        return False
    is_dumb = os.environ.get("TERM", "").lower() in ("dumb", "unknown")
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and not is_dumb)


def _text(line: Sequence[Piece], *, has_colours: bool) -> str:
    return "".join(_styled(text, style) if has_colours else text for text, style in line)


def _styled(text: str, style: str) -> str:
    if not style or not text.strip():
        return text
    codes = ";".join(CODES[word] for word in style.split())
    return f"\x1b[{codes}m{text}\x1b[0m"
