"""`pcm cancel`: stop experiments for good."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import RunsDir, StateOption, Yes
from launch.status.state import State
from launch.text import counted, tally
from pcm.errors import ExitCode, UsageError
from pcm.printable import printable

if TYPE_CHECKING:
    from launch.status.state import Line

SHOWN = 20
"""So many are named; the others are counted."""


def cancel(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Sweeps or experiments; with --state, all without.", metavar="SWEEP|ID..."
        ),
    ] = None,
    *,
    state: StateOption = None,
    now: Annotated[
        bool, typer.Option("--now", help="Kill what runs; its newest checkpoint is what is left.")
    ] = False,
    yes: Yes = False,
    runs_dir: RunsDir = None,
) -> None:
    """Stop experiments for good, with a checkpoint.

    What waits never starts, what runs stops within seconds. Launching the grid again leaves
    them alone; `pcm resume` brings them back.

    \b
    Examples:
      pcm cancel 3f2a
      pcm cancel quickstart --yes
      pcm cancel quickstart --state pending
      pcm cancel 3f2a --now
    """
    from launch.report.terminal import agrees, note
    from launch.status.looking import lines_of
    from launch.store.finding import find_experiments, open_store
    from launch.submit.cancelling import cancel_all

    if not words and not state:
        raise UsageError("nothing says what to cancel", "name sweeps, experiments or a --state")
    store = open_store(runs_dir)
    lines = lines_of(find_experiments(store, words or []), note)
    meant = [line for line in lines if _is_meant(line.state, state or ())]
    chosen = [line for line in meant if line.state is not State.CANCELLED]
    _tell(chosen)
    if chosen and not agrees(f"Cancel {counted(len(chosen), 'experiment')}?", yes=yes):
        raise typer.Exit(ExitCode.INTERRUPTED)
    # What is cancelled already may still be in the queue of a Slurm that didn't answer then.
    trouble = cancel_all(store.root, [line.id for line in meant], at_once=now)
    did = f"Cancelled {counted(len(chosen), 'experiment')}." if chosen else "Nothing to cancel."
    typer.echo(did)
    if trouble is not None:
        typer.echo(
            f"warning: {printable(trouble)}; what waits in its queue ends as soon "
            "as it starts, and `pcm cancel` again takes it out before",
            err=True,
        )


def _is_meant(state: State, wanted: Sequence[State]) -> bool:
    return state is not State.DONE and (not wanted or state in wanted)


def _tell(chosen: "Sequence[Line]") -> None:
    for line in chosen[:SHOWN]:
        typer.echo(printable(f"{line.id} {line.name}: {line.state}"))
    if len(chosen) > SHOWN:
        rest = chosen[SHOWN:]
        typer.echo(f"and {len(rest):,} more: {tally(line.state for line in rest)}")
