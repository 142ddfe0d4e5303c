"""`pcm validate`: whether config files are as they must be."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launch.cli.options import Json
from pcm.errors import ExitCode, Fault
from pcm.printable import printable

if TYPE_CHECKING:
    from launch.validate import CheckedFile


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Grid, model, data, trainer or site files.", metavar="FILE...", show_default=False
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

    checked = [check_file(path) for path in files]
    if as_json:
        _print_json(checked)
    else:
        _print(checked)
    if any(each.faults for each in checked):
        raise typer.Exit(ExitCode.CONFIG_INVALID)


def _print(checked: "list[CheckedFile]") -> None:
    from launch.text import counted

    said: set[Fault] = set()
    for each in checked:
        if not each.faults:
            typer.echo(f"{printable(each.file)}: a good {each.kind} file")
        for note in each.notes:
            typer.echo(f"note: {printable(note)}", err=True)
        # A base file of two grids is told off once.
        for fault in each.faults:
            if fault not in said:
                typer.echo(str(fault), err=True)
        said.update(each.faults)
    if said:
        bad = sum(bool(each.faults) for each in checked)
        summary = f"{counted(len(said), 'fault')} in {bad} of {counted(len(checked), 'file')}"
        typer.echo(summary, err=True)


def _print_json(checked: "list[CheckedFile]") -> None:
    from dataclasses import asdict

    from launch.report.terminal import print_json

    print_json({"files": [asdict(each) for each in checked]})
