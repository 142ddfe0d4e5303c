"""`pcm report`: a sweep as one page."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import RunsDir, SweepsOrIds

if TYPE_CHECKING:
    from collections.abc import Callable

INTERVAL_S = 15.0
"""Between two pages of `--watch`, at least."""

PAUSE = 5.0
"""So many times what a page took to make it rests, since others use the machine, too."""

SETTLING_S = 3.0
"""From the end of the last experiment to the last page."""


def report(
    words: SweepsOrIds,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The page; else SWEEP.html, here.", metavar="FILE.html"
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="The metric to begin with, with :max where the greatest is the best; else the "
            "one that says which checkpoint is the best.",
            metavar="NAME",
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Write it again and again until all have ended.")
    ] = False,
    opens: Annotated[bool, typer.Option("--open", help="Show it in a browser.")] = False,
    runs_dir: RunsDir = None,
) -> None:
    """Write a sweep as one page: curves, axes, table, failures.

    It needs no network to be looked at.

    \b
    Examples:
      pcm report quickstart
      pcm report quickstart --metric val/elbo:max -o quickstart.html
      pcm report quickstart --watch --open
    """
    from launch.report.page.gathering import Gathering
    from launch.report.terminal import note, say
    from launch.status.looking import Looking
    from launch.store.finding import find_experiments, open_store

    store = open_store(runs_dir)
    target = output or Path(f"{words[0]}.html")
    waiting = note if watch else None
    gathering = Gathering(", ".join(words), Looking(note), _wanted(metric), waiting)

    def gather() -> dict[str, object]:
        return gathering.gather(find_experiments(store, words))

    data = gather()
    _write(target, data)
    say(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")
    if opens:
        _open(target)
    if watch and not data["is_over"]:
        _follow(target, gather)


def _follow(target: Path, gather: "Callable[[], dict[str, object]]") -> None:
    """Write the page again and again until all have ended, and then once more."""
    from launch.report.terminal import note
    from pcm.errors import RefusedError

    trouble, is_over, pause_s = None, False, INTERVAL_S
    while not is_over:
        time.sleep(pause_s)
        began = time.monotonic()
        data = gather()
        if data["is_over"]:
            # Training's word that it is done comes before what its supervisor notes at the end.
            time.sleep(SETTLING_S)
            data = gather()
        is_over = bool(data["is_over"])
        try:
            _write(target, data)
            trouble = None
        except RefusedError as error:
            # A full disk may have room again, and a sweep goes on for days.
            if is_over:
                raise
            if str(error) != trouble:
                note(f"warning: {error}")
            trouble = str(error)
        pause_s = max(INTERVAL_S, PAUSE * (time.monotonic() - began))


def _wanted(metric: str | None) -> tuple[str, bool] | None:
    """The metric and whether its greatest value is the best."""
    if metric is None:
        return None
    name = metric.removesuffix(":max").removesuffix(":min")
    return name, metric.endswith(":max")


def _write(target: Path, data: dict[str, object]) -> None:
    from launch.report.output_file import write_output
    from launch.report.page.html import page

    write_output(target, page(data))


def _open(target: Path) -> None:
    import webbrowser

    from launch.report.terminal import note

    if not webbrowser.open(target.absolute().as_uri()):
        note(f"note: there is no browser to show it in; open {target.absolute()} yourself")
