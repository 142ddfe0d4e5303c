"""Asking before something is done."""

import sys

import typer

from pcm.errors import ExitCode, UsageError


def confirm(question: str, *, yes: bool) -> None:
    """Return if the person agrees, or did so with --yes.

    Raises:
        UsageError: there is nobody to ask.
        typer.Exit: the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("this needs a yes, and there is no terminal to ask on", "add --yes")
    typer.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if answer.strip().lower() not in ("y", "yes"):
        typer.echo("Nothing was done.", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED)
