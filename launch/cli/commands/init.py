"""`pcm init`: a small project that runs at once."""

from pathlib import Path
from typing import Annotated

import typer

from launch.projects.beginning import Kind


def init(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of the project; made if need be.", metavar="FOLDER", show_default=False
        ),
    ],
    *,
    model: Annotated[
        Kind,
        typer.Option(
            help="What trains: a LightningModule of your own, a script of your own, or a chain "
            "of pcm's links."
        ),
    ] = Kind.CLASS,
) -> None:
    """Write a small project that runs at once, here and on Slurm. Overwrites nothing.

    \b
    Examples:
      pcm init first
      pcm init --model script first
    """
    import shlex

    from launch.projects.beginning import begin_project
    from launch.report.terminal import say

    for path in begin_project(model, folder):
        say(f"wrote {path}")
    say("\nNext:")
    if not folder.samefile(Path.cwd()):
        say(f"  cd {shlex.quote(str(folder))}")
    say("  pcm plan grid.yaml                        # what there is to run")
    say("  pcm launch grid.yaml --executor local     # on this machine")
    say(f"  pcm results {f'first-{model}':<29} # what came of it")
    say("  pcm launch grid.yaml --partition NAME     # on Slurm")
