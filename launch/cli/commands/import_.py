"""`pcm import`: a sweep of another tool as a grid."""

from pathlib import Path
from typing import Annotated

import typer


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A file or folder of Hydra, a config of SEML or LightningCLI, an sbatch script.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Grid file to write; nothing is overwritten.", metavar="FILE"
        ),
    ] = Path("grid.yaml"),
) -> None:
    """Write a grid file that runs the points of another tool's sweep.

    What can't be carried over is listed. Files that the grid needs are written beside it.

    \b
    Examples:
      pcm import multirun/2026-01-02/10-15-00/multirun.yaml
      pcm import array.sh --output grids/array.yaml
    """
    import shlex

    from launch.importing.writing import import_sweep
    from launch.report.terminal import note, say
    from launch.text import counted

    sweep = import_sweep(file, output)
    say(f"{sweep.tool}: wrote {', '.join(map(str, [*sweep.grids, *sweep.files]))}")
    for line in sweep.left:
        note(f"not carried over: {line}")
    say(f"{counted(sweep.points(), 'point')}; next:")
    for grid in sweep.grids:
        say(f"  pcm plan {shlex.quote(str(grid))}")
