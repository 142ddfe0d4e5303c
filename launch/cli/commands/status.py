"""`pcm status`: where experiments stand."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import Everything, Json, RunsDir, StateOption, SweepsOrIdsOrAll
from pcm.errors import UsageError
from pcm.printable import printable

if TYPE_CHECKING:
    from launch.notify.noticing import Noticing
    from launch.status.looking import Looking
    from launch.status.state import Line, State
    from launch.store import Store

SHOWN = 50
"""Rows without `--all`."""

INTERVAL_S = 2.0
"""Between two looks of `--watch`."""


def status(
    words: SweepsOrIdsOrAll = None,
    *,
    state: StateOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again and again until all have ended.")
    ] = False,
    everything: Everything = False,
    runs_dir: RunsDir = None,
    as_json: Json = False,
) -> None:
    """Show where experiments stand.

    \b
    Examples:
      pcm status
      pcm status quickstart --state failed
      pcm status quickstart --watch
    """
    if watch and as_json:
        raise UsageError("--watch is for people and --json for programs", "leave one of them out")
    if watch:
        _watch(words or [], state or [], runs_dir)
        return
    from pcm.garbage_collection import no_garbage_collection

    # To the end: what is imported to print a table has the collector look at all experiments.
    with no_garbage_collection():
        _show(words or [], state or [], runs_dir, everything=everything, as_json=as_json)


def _show(
    words: list[str],
    states: "list[State]",
    runs_dir: Path | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    from launch.notify.noticing import Noticing
    from launch.report.terminal import note
    from launch.status.looking import Looking
    from launch.store.finding import open_store

    looking, store = Looking(note), open_store(runs_dir)
    noticing = Noticing(looking, note)
    lines = _look(looking, noticing, words, states, store, with_progress=as_json)
    if as_json:
        _print_json(lines, looking.warning)
    else:
        _print_lines(lines, store, everything=everything)


def _look(
    looking: "Looking",
    noticing: "Noticing",
    words: list[str],
    states: "list[State]",
    store: "Store",
    *,
    with_progress: bool = True,
) -> "list[Line]":
    from launch.store import launches_of
    from launch.store.finding import find_experiments
    from launch.store.records import notice_damaged_launches
    from pcm.garbage_collection import no_garbage_collection

    with no_garbage_collection():
        experiments = find_experiments(store, words)
        lines = looking.lines(experiments, with_progress=with_progress)
        notice_damaged_launches(launches_of(experiments))
        noticing.look(experiments, lines)
    return [line for line in lines if not states or line.state in states]


def _print_json(lines: "list[Line]", warning: str | None) -> None:
    from collections import Counter

    from launch.damage import damage_so_far
    from launch.report.status import damage_records, status_records
    from launch.report.terminal import print_json

    counts = Counter(line.state for line in lines)
    damaged = damage_records(damage_so_far())
    print_json(
        {
            "counts": counts,
            "warning": warning,
            **({"damaged": damaged} if damaged else {}),
            "experiments": status_records(lines),
        }
    )


def _print_lines(lines: "list[Line]", store: "Store", *, everything: bool) -> None:
    from launch.report.status import by_interest, remarks, status_table
    from launch.report.table import print_table, terminal_width
    from launch.report.terminal import note
    from launch.status.progress import with_progress
    from launch.store.finding import nothing_in
    from launch.text import counted, tally

    if not lines:
        typer.echo("No experiments.")
        if not store.sweeps():
            note(f"note: {nothing_in(store)}")
        return
    typer.echo(f"{counted(len(lines), 'experiment')}: {tally(line.state for line in lines)}")
    shown = lines if everything or len(lines) <= SHOWN else by_interest(lines)[:SHOWN]
    shown = with_progress(store.root, shown)
    print_table(status_table(shown, terminal_width()))
    for remark in remarks(shown, time.time()):
        typer.echo(printable(remark))
    if len(shown) < len(lines):
        typer.echo(f"{len(lines) - len(shown):,} more; --all shows them, --state chooses")


def _watch(words: list[str], states: "list[State]", runs_dir: Path | None) -> None:
    from launch.notify.noticing import Noticing
    from launch.report.live import live_view
    from launch.report.table import console
    from launch.report.terminal import note
    from launch.results.recent import recent_losses
    from launch.status.looking import Looking
    from launch.store.finding import open_store

    looking, store = Looking(note), open_store(runs_dir)
    noticing, root = Noticing(looking, note), store.root
    with live_view(console(), lambda id_: recent_losses(root.run_dir(id_).metrics)) as show:
        while True:
            lines = _look(looking, noticing, words, states, store)
            show(lines)
            if all(line.state.is_ended for line in lines):
                return
            time.sleep(INTERVAL_S)
