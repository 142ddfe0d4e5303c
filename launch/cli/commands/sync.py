"""`pcm sync`: send trackers what they have missed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import RunsDir, SweepsOrIds
from pcm.errors import ExitCode

if TYPE_CHECKING:
    from launch.store import Experiment


def sync(
    words: SweepsOrIds,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            help="Trackers to send to, with commas between, whatever the grid file says.",
            metavar="NAME[,NAME]",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on, live, until all experiments have ended.")
    ] = False,
    runs_dir: RunsDir = None,
) -> None:
    """Send trackers the metrics that they have missed.

    Needs the training side, where the trackers' clients are installed. With --follow, on a
    machine that has a network, trackers are fed live of nodes that have none.

    \b
    Examples:
      pcm sync quickstart
      pcm sync quickstart --to mlflow
      pcm sync quickstart --follow
    """
    from launch.store.finding import find_experiments, open_store

    names = _names(to)
    experiments = find_experiments(open_store(runs_dir), words)
    is_all_sent = _follow(experiments, names) if follow else _send(experiments, names)
    if not is_all_sent:
        raise typer.Exit(ExitCode.REFUSED)


def _names(to: str | None) -> list[str]:
    from launch.wishes import require_trackers
    from pcm.config.trackers import names_in

    names = [] if to is None else names_in(to)
    require_trackers(names)
    return names


def _send(experiments: Sequence["Experiment"], to: Sequence[str]) -> bool:
    from launch.container.syncing import send_each
    from pcm.printable import printable

    started = []
    for each in experiments:
        if each.run_dir.path.exists():
            started.append(each)
        else:
            typer.echo(f"{each.id}: not started")
    failures = 0
    for sent in send_each(started, to):
        failures += not sent.is_sent
        typer.echo(printable(f"{sent.id}: {sent.text}"), err=not sent.is_sent)
    return not failures


def _follow(experiments: Sequence["Experiment"], to: Sequence[str]) -> bool:
    """Until all have ended, and then what is left; Ctrl-C leaves it, at once."""
    import time

    from launch.container.feeding import Feeding
    from launch.notify.noticing import Noticing
    from launch.status.looking import Looking

    looking = Looking(_say, _QUEUE_INTERVAL_S)
    noticing = Noticing(looking, _say)
    feeding = Feeding(experiments, to, _say)
    try:
        while feeding.is_alive:
            lines = looking.lines(experiments)
            noticing.look(experiments, lines)
            if all(line.state.is_ended for line in lines):
                break
            time.sleep(_INTERVAL_S)
            feeding.look()
        is_all_sent = feeding.end()
        if not is_all_sent:
            _say("not everything was sent; the next pcm sync sends the rest, and nothing twice")
        return is_all_sent
    except KeyboardInterrupt:
        _say("left; the next pcm sync sends what is not sent yet")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    finally:
        feeding.leave()


def _say(line: str) -> None:
    from pcm.printable import printable

    typer.echo(printable(line), err=True)


_INTERVAL_S = 2.0
"""Between two looks at whether experiments run."""

_QUEUE_INTERVAL_S = 30.0
"""Between two questions to Slurm: nobody waits for the answer."""
