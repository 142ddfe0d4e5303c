"""`pcm --version`."""

import typer


def print_version(asked: bool) -> None:
    """Print the version and leave, if it was asked for."""
    if asked:
        from pcm import __version__

        typer.echo(f"pcm {__version__}")
        raise typer.Exit
