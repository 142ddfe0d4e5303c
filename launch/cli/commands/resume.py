"""`pcm resume`: go on with what has ended without being done."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launch.cli.again import later
from launch.cli.commands.launch import leave
from launch.cli.options import RunsDir, SweepsOrIds
from launch.cli.resource_options import with_resources
from launch.executor import Executor
from pcm.errors import ExitCode
from pcm.printable import printable

if TYPE_CHECKING:
    from launch.submit.resumable import Choice


@with_resources("max_parallel")
def resume(
    words: SweepsOrIds,
    *,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            help="Go on from this one: a file name, best or last. The newest without.",
            metavar="NAME",
        ),
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only those that failed.")] = False,
    executor: Annotated[
        Executor | None, typer.Option(help="Where to run; as they were launched without.")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(
            help="A cluster's file, or its name in config/sites; as they were launched without.",
            metavar="NAME|FILE",
        ),
    ] = None,
    resources: Mapping[str, Any],
    runs_dir: RunsDir = None,
) -> None:
    """Go on with what was stopped or has failed.

    So does what was cancelled, got lost or never started. Each continues in its run
    directory and tracker run, from its newest whole checkpoint. What waits or runs already is
    not resumed: the others are, and the exit code is 4.

    \b
    Examples:
      pcm resume 3f2a
      pcm resume quickstart --failed
      pcm resume 3f2a --checkpoint best
      pcm resume quickstart --site larger-nodes.yaml
    """
    from launch.report.live import live_view
    from launch.report.results import print_results
    from launch.report.table import console
    from launch.report.terminal import note, teller
    from launch.results.rows import results_of
    from launch.resumption import choose_resumable, resume_chosen
    from launch.store.finding import find_experiments, open_store

    store = open_store(runs_dir)
    choice = choose_resumable(find_experiments(store, words), note, failed=failed)
    _tell(choice)
    with live_view(console()) as show:
        resumption = resume_chosen(
            choice,
            store,
            show,
            teller(err=False),
            executor=executor,
            site=site,
            max_parallel=resources["max_parallel"],
            checkpoint=checkpoint,
        )
    _tell(resumption.choice, but=choice)
    if not choice.free and not choice.held:
        typer.echo("Nothing to resume.")
    if resumption.no_room is not None:
        raise later(resumption.no_room.message)
    if resumption.completion is not None:
        print_results(results_of(choice.free, note, with_costs=False))
        leave(resumption.completion, choice.free)
    if resumption.choice.held:
        raise typer.Exit(ExitCode.REFUSED)


def _tell(choice: "Choice", but: "Choice | None" = None) -> None:
    """Say what is not resumed, and why.

    Args:
        but: what was said already.
    """
    said = set() if but is None else {each.id for each, _ in (*but.held, *but.left)}
    for experiment, where in choice.held:
        if experiment.id not in said:
            text = f"{experiment.id} {experiment.name} is not resumed: it {where}"
            typer.echo(printable(text), err=True)
    for experiment, state in choice.left:
        if experiment.id not in said:
            name = printable(experiment.name)
            typer.echo(f"{experiment.id} {name}: {state}, left as it is")
