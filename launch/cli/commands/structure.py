"""`pcm structure`: what a config must look like."""

from typing import Annotated

import typer


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
