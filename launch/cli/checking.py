"""`pcm validate` and `pcm structure`: what a config must look like, and whether it does."""

from pathlib import Path
from typing import Annotated

import typer

from launch.cli.options import Json


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Grid, model, data, trainer or site files.", metavar="FILE...", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Check config files and report every fault with its line.

    The kind of each file is recognised by what is in it.

    \b
    Example:
      pcm validate config/grids/quickstart.yaml config/models/*.yaml
    """


def structure(
    path: Annotated[
        str | None,
        typer.Argument(help="Spec path, e.g. latent/posterior_gaussian; all are listed without."),
    ] = None,
) -> None:
    """Show what a config must look like at a spec path.

    \b
    Example:
      pcm structure dense_blocks/dense_block_stack
    """
