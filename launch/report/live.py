"""Experiments while they run: one line each on a terminal, plain lines of change in a pipe."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.text import Text

from launch.report.status import by_interest, epoch, status_table
from launch.status.state import Line, Progress
from launch.text import number, tally
from pcm.config.printable import printable_line

Show = Callable[[Sequence[Line]], None]
"""Called again and again with all experiments as they stand."""

HEADING = 2
"""Lines of a table that are not rows: titles and rule."""

AROUND = HEADING + 2
"""Lines of the terminal that are not rows: heading, tally, prompt."""


@contextmanager
def live_view(console: Console) -> Iterator[Show]:
    """How to show progress on this terminal; its last picture stays when the block ends."""
    if not console.is_terminal:
        yield changes(console)
        return
    from rich.live import Live

    live = Live(console=console, refresh_per_second=4)

    def show(lines: Sequence[Line]) -> None:
        live.update(picture(lines, console))
        live.start()  # with the first picture: until then others print; again it does nothing

    try:
        yield show
    finally:
        live.stop()


def picture(lines: Sequence[Line], console: Console) -> Group:
    """The table, cut to the terminal's height, above how many are in each state."""
    room = max(1, console.height - AROUND)
    shown = by_interest(lines)[:room]
    # Where names are folded, a row takes several lines.
    height = len(console.render_lines(status_table(shown), pad=False)) - HEADING
    if height > room:
        shown = shown[: max(1, room * len(shown) // height)]
    left_out = len(lines) - len(shown)
    more = f"; {left_out:,} not shown" if left_out else ""
    return Group(status_table(shown), Text(tally(line.state for line in lines) + more, style="dim"))


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
    progress = line.status.progress or Progress()
    parts = [f"{line.id} {line.name}: {line.state}"]
    if progress.epoch is not None:
        parts.append(f"epoch {epoch(progress)}")
    if progress.loss is not None:
        parts.append(f"loss {number(progress.loss)}")
    if line.status.detail:
        parts.append(line.status.detail)
    return ", ".join(parts)
