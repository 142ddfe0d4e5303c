"""`pcm validate` and `pcm structure`: what a config must look like, and whether it does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import Json
from launch.cli.printing import print_json
from pcm.errors import ExitCode, Fault

if TYPE_CHECKING:
    from launch.validate import Verdict


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Grid, model, data, trainer or site files.", metavar="FILE", show_default=False
        ),
    ],
    *,
    as_json: Json = False,
) -> None:
    """Check config files and report every fault with its line.

    The kind of each file is recognised by what is in it. Of a grid, every point is checked.

    \b
    Example:
      pcm validate config/grids/quickstart.yaml config/models/pcm-cvae.yaml
    """
    from launch.validate import check_file

    verdicts = [check_file(path) for path in files]
    if as_json:
        _print_json(verdicts)
    else:
        _print(verdicts)
    if any(verdict.faults for verdict in verdicts):
        raise typer.Exit(ExitCode.CONFIG_INVALID)


def _print(verdicts: "list[Verdict]") -> None:
    from launch.text import counted

    told: set[Fault] = set()
    for verdict in verdicts:
        if not verdict.faults:
            typer.echo(f"{verdict.file}: a good {verdict.kind} file")
        # A base file of two grids is told off once.
        for fault in verdict.faults:
            if fault not in told:
                typer.echo(str(fault), err=True)
        told.update(verdict.faults)
    if told:
        bad = sum(bool(verdict.faults) for verdict in verdicts)
        summary = f"{counted(len(told), 'fault')} in {bad} of {counted(len(verdicts), 'file')}"
        typer.echo(summary, err=True)


def _print_json(verdicts: "list[Verdict]") -> None:
    from dataclasses import asdict

    print_json({"files": [asdict(verdict) for verdict in verdicts]})


def structure(
    path: Annotated[
        str | None,
        typer.Argument(help="Spec path; without one, all of them are listed.", metavar="PATH"),
    ] = None,
) -> None:
    """Show what a config must look like at a spec path.

    \b
    Examples:
      pcm structure model
      pcm structure latent/posterior_gaussian
    """
    from pcm.config.describe import describe_at
    from pcm.config.structures import spec_paths

    typer.echo("\n".join(spec_paths()) if path is None else describe_at(path))
