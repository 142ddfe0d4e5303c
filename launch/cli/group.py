"""Every way a command can end, as a message and an exit code."""

import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

from launch.cli.streams import settle_streams
from launch.damage import told_damage
from launch.report.terminal import note
from pcm.errors import ExitCode, PcmError
from pcm.run_dir.files import NO_ROOM
from pcm.secret_values import scrub

_MORE_ROOM = "free some space there, and run the command again"


class PcmGroup(TyperGroup):
    """The top-level command; a person's mistake is a message, never a traceback."""

    debug = False
    """Show tracebacks as well."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command. Typer itself sees to usage errors, Ctrl-C and a closed pipe."""
        settle_streams()
        with told_damage(note):
            try:
                return super().main(*args, **kwargs)
            except Exception as error:
                if self.debug:
                    traceback.print_exc()
                note(scrub(f"pcm: {self._message(error)}"))
                sys.exit(_exit_code(error))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands under the titles that they were added with, in that order."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        width = max(len(name) for name, _ in commands)
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, command in commands:
            text = command.get_short_help_str(formatter.width - width - 6)
            title = getattr(command, "rich_help_panel", None) or "Commands"
            sections.setdefault(title, []).append((name.ljust(width), text))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl(rows)

    def _message(self, error: Exception) -> str:
        if isinstance(error, PcmError):
            return str(error)
        if isinstance(error, FileNotFoundError) and _is_nowhere():
            return "the working directory is gone\n  try: cd to one that is there"
        if isinstance(error, OSError) and error.strerror:
            text = ": ".join(filter(None, [error.strerror, error.filename]))
            return f"{text}\n  try: {_MORE_ROOM}" if error.errno in NO_ROOM else text
        if isinstance(error, UnicodeEncodeError):
            return (
                f"the locale has no such character in its {error.encoding}: "
                f"{error.object[error.start : error.end]!a}\n  try: LC_ALL=C.UTF-8 pcm ..."
            )
        text = f"unexpected {type(error).__name__}: {error}"
        return text if self.debug else f"{text}\n{_kept(error)}"


def _is_nowhere() -> bool:
    """Whether somebody has removed the folder that this process works in."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _exit_code(error: Exception) -> ExitCode:
    if isinstance(error, PcmError):
        return error.exit_code
    refusals = (OSError, UnicodeEncodeError)
    return ExitCode.REFUSED if isinstance(error, refusals) else ExitCode.EXPERIMENT_FAILED


def _kept(error: Exception) -> str:
    """Where the traceback of an error that nobody foresaw is kept."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="pcm-traceback-", suffix=".txt", delete=False, errors="backslashreplace"
    ) as file:
        file.write(scrub("".join(traceback.format_exception(error))))
    return (
        f"  this is a fault in pcm, not in your files; the traceback is in {file.name}\n"
        "  try: pcm --debug ..., which shows it here"
    )
