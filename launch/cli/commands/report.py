"""`pcm report`: a sweep as one page."""

import time
from pathlib import Path
from typing import Annotated

import typer

from launch.cli.options import RunsDir, SweepsOrIds

INTERVAL_S = 15.0
"""Between two pages of `--watch`."""


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
    from pcm.errors import RefusedError

    store = open_store(runs_dir)
    target = output or Path(f"{words[0]}.html")
    gathering = Gathering(", ".join(words), Looking(note), _wanted(metric))
    data = gathering.gather(find_experiments(store, words))
    _write(target, data)
    say(f"wrote {target} ({target.stat().st_size / 1e6:.1f} MB)")
    if opens:
        _open(target)
    trouble = None
    while watch and not data["is_over"]:
        time.sleep(INTERVAL_S)
        data = gathering.gather(find_experiments(store, words))
        try:
            _write(target, data)
            trouble = None
        except RefusedError as error:
            # A full disk may have room again, and a sweep goes on for days.
            if data["is_over"]:
                raise
            if str(error) != trouble:
                note(f"warning: {error}")
            trouble = str(error)


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
