"""`pcm import`: a sweep of another tool as a grid."""

from pathlib import Path
from typing import Annotated

import typer


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="A multirun.yaml of Hydra, a config of SEML or LightningCLI, or an sbatch script.",
            metavar="FILE",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Grid file to write; nothing is overwritten.")
    ] = Path("grid.yaml"),
) -> None:
    """Write a grid file that runs the points of another tool's sweep.

    What can't be carried over is listed. Files that the grid needs are written beside it.

    \b
    Examples:
      pcm import multirun/2026-01-02/10-15-00/multirun.yaml
      pcm import array.sh --output grids/array.yaml
    """
    from launch.importing.reading import count_points, read_foreign, write_imported
    from launch.report.terminal import note, say
    from launch.text import counted

    imported = read_foreign(file)
    paths = write_imported(imported, output)
    say(f"{imported.tool}: wrote {', '.join(map(str, paths))}")
    for line in imported.left:
        note(f"not carried over: {line}")
    say(f"{counted(count_points(output), 'point')}; next: pcm plan {output}")
