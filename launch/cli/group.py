"""Every way a command can end, as a message and an exit code."""

import sys
import tempfile
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from pcm.errors import ExitCode, PcmError


class PcmGroup(TyperGroup):
    """The top-level command; a person's mistake is a message, never a traceback."""

    debug = False
    """Show tracebacks as well."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command. Typer itself sees to usage errors, Ctrl-C and a closed pipe."""
        try:
            return super().main(*args, **kwargs)
        except PcmError as error:
            if self.debug:
                traceback.print_exc()
            typer.secho(f"pcm: {error}", err=True)
            sys.exit(error.exit_code)
        except Exception as error:
            if self.debug:
                traceback.print_exc()
            else:
                typer.secho(unexpected(error), err=True)
            sys.exit(ExitCode.EXPERIMENT_FAILED)


def unexpected(error: Exception) -> str:
    """What to say of an error that nobody foresaw; keeps the traceback in a file."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="pcm-traceback-", suffix=".txt", delete=False
    ) as file:
        file.write("".join(traceback.format_exception(error)))
    return (
        f"pcm: unexpected {type(error).__name__}: {error}\n"
        f"  this is a fault in pcm, not in your files; the traceback is in {file.name}\n"
        "  try: pcm --debug ..., which shows it here"
    )
