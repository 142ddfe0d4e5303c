"""Experiments while they run: one line each on a terminal, plain lines of change in a pipe."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleDimensions, Group
from rich.text import Text

from launch.report.advance import bar, failures, pace
from launch.report.sparkline import Losses, Recent
from launch.report.status import by_interest, live_table, reached
from launch.report.table import Table
from launch.status.state import Line, State
from launch.text import number, tally
from pcm.printable import printable_line
from pcm.run_dir.attempt_records import ProgressRecord

Show = Callable[[Sequence[Line]], None]
"""Called again and again with all experiments as they stand."""

HEADING = 2
"""Lines of a table that are not rows: titles and rule."""

AROUND = HEADING + 2
"""Lines of the terminal that are not rows: heading, tally, prompt."""

ROOMY = 16
"""Lines of a terminal that has room for more than the table and how far all is."""

CALM_S = 1.0
"""Between two pictures: a slow line should not be busy with them, nor should eyes."""

WIDE = 100
"""Columns of a terminal that has room for long bars."""


@contextmanager
def live_view(console: Console, recent: Recent = lambda _: ()) -> Iterator[Show]:
    """How to show progress on this terminal; its last picture stays when the block ends.

    Args:
        recent: the last losses that an experiment's files have.
    """
    if not console.is_terminal:
        yield changes(console)
        return
    view = _View(console, recent)
    try:
        yield view.show
    finally:
        view.stop()


class _View:
    """The picture on a terminal, drawn anew when something is new, and not too often."""

    def __init__(self, console: Console, recent: Recent) -> None:
        from rich.live import Live

        self._console = console
        self._live = Live(console=console, auto_refresh=False)
        self._losses = Losses(recent)
        self._lines: Sequence[Line] | None = None
        self._drawn: Sequence[Line] | None = None
        self._size: ConsoleDimensions | None = None
        self._when = 0.0

    def show(self, lines: Sequence[Line]) -> None:
        self._lines = list(lines)
        is_first = self._drawn is None
        if is_first or time.monotonic() >= self._when + CALM_S:
            self._draw()

    def stop(self) -> None:
        """Leave the last picture, which may not have been drawn yet."""
        self._draw()
        self._live.stop()

    def _draw(self) -> None:
        # What was made for another size would be folded, or cut, when it is drawn again.
        size = self._console.size
        if self._lines is None or (self._lines == self._drawn and size == self._size):
            return
        self._losses.look(shown_first(self._lines, self._console))
        self._live.update(picture(self._lines, self._console, self._losses))
        if self._drawn is None:
            self._live.start()  # with the first picture: until then others print
        self._live.refresh()
        self._drawn, self._size, self._when = self._lines, size, time.monotonic()


def shown_first(lines: Sequence[Line], console: Console) -> list[Line]:
    """Those that a terminal may have room for."""
    return by_interest(lines)[: max(1, console.height)]


def picture(lines: Sequence[Line], console: Console, losses: Losses | None = None) -> Group:
    """The table, cut to the terminal's height, above how far all is and what fails.

    Args:
        losses: of which there are sparklines, where there is room.
    """
    below = _below(lines) if console.height >= ROOMY else []
    room = max(1, console.height - AROUND - len(below))
    shown = shown_first(lines, console)[:room]
    # On a terminal that is too narrow for a row, it takes several lines.
    table = _table(shown, console, losses)
    height = len(console.render_lines(table, pad=False)) - HEADING
    if height > room:
        shown = shown[: max(1, room * len(shown) // height)]
        table = _table(shown, console, losses)
    left_out = len(lines) - len(shown)
    more = f"; {left_out:,} not shown" if left_out else ""
    how_far = bar(lines, 24 if console.width >= WIDE else 12, plain=not _has_signs(console))
    text = f"{how_far}  {tally(line.state for line in lines)}{more}"
    return Group(
        table,
        Text(text, style="dim", no_wrap=True, overflow="ellipsis"),
        *below,
    )


def _below(lines: Sequence[Line]) -> list[Text]:
    """Speed and end, and what fails and why: one line each, cut to the terminal's width."""
    texts = [(pace(lines), "dim"), *((text, "red") for text in failures(lines))]
    return [
        Text(printable_line(text), style=style, no_wrap=True, overflow="ellipsis")
        for text, style in texts
        if text
    ]


def _table(shown: Sequence[Line], console: Console, losses: Losses | None) -> Table:
    """With sparklines, where something runs that has any and the terminal can show them."""
    length = 12 if console.width >= WIDE else 8
    sparks = [
        losses.sparkline(line.id, length) if losses and line.state is State.RUNNING else ""
        for line in shown
    ]
    has_sparks = any(sparks) and _has_signs(console)
    return live_table(shown, sparks if has_sparks else None, console.width)


def _has_signs(console: Console) -> bool:
    return console.encoding.lower().startswith("utf") and not console.legacy_windows


def changes(console: Console) -> Show:
    """Print a line whenever an experiment's state is another than before."""
    last: dict[str, str] = {}

    def show(lines: Sequence[Line]) -> None:
        for line in lines:
            if last.get(line.id) != line.state:
                last[line.id] = line.state
                console.print(Text(printable_line(change(line))))

    return show


def change(line: Line) -> str:
    """`1a2b3c4d5e mnist-0: done, epoch 3/3, loss 0.12`."""
    progress = line.status.progress or ProgressRecord()
    parts = [f"{line.id} {line.name}: {line.state}"]
    if place := reached(progress):
        parts.append(place if progress.epoch is None else f"epoch {place}")
    if progress.loss is not None:
        parts.append(f"loss {number(progress.loss)}")
    if line.status.detail:
        parts.append(line.status.detail)
    return ", ".join(parts)
