"""What commands print that is no table: lines, facts, JSON, and a question."""

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import typer

from launch.telling import Tell
from pcm.errors import UsageError
from pcm.printable import printable


def say(text: str) -> None:
    """A line of a command's result."""
    typer.echo(printable(text))


def note(text: str) -> None:
    """A line for the person who waits, beside the result: on standard error."""
    typer.echo(printable(text), err=True)


ASIDE = ("note:", "warning:")
"""How texts begin that are beside the matter, whoever has the result."""


def teller(*, err: bool) -> Tell:
    """Prints what the code below has to tell.

    Args:
        err: all of it on standard error, since the result is for a program; else the asides.
    """

    def tell(text: str) -> None:
        typer.echo(printable(text), err=err or text.startswith(ASIDE))

    return tell


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Labels and texts, one below the other."""
    width = max(len(label) for label, _ in facts)
    for label, text in facts:
        typer.echo(f"  {label:{width}}  {printable(text)}")


def print_json(record: Any) -> None:
    """Print a record as strict JSON."""
    typer.echo(json_text(record))


def json_text(record: Any, *, indent: int | None = 1) -> str:
    """A record as strict JSON, which has no NaN: null stands for it.

    Args:
        indent: None for one line, as short as it gets.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(_finite(record), indent=indent, separators=separators, allow_nan=False)


def agrees(question: str, *, yes: bool) -> bool:
    """Whether the person agrees, or did so with --yes.

    Raises:
        UsageError: there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("this needs a yes, and there is no terminal to ask on", "add --yes")
    typer.echo(f"{printable(question)} [y/N] ", nl=False, err=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    typer.echo("Nothing was done.", err=True)
    return False


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inside) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inside) for inside in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
