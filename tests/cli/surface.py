"""Every command with its options, as text: what people's scripts rely on.

python -m tests.cli.surface    writes it down after a change that is meant
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from launch.cli import app

GOLDEN = Path(__file__).with_name("surface.txt")


def surface() -> str:
    """A line a command and, below it, a line a parameter."""
    return "\n".join(_lines()) + "\n"


def all_commands() -> dict[str, Any]:
    """Every command by its words after `pcm`, such as `image build`; groups come first."""
    return dict(_below(get_command(app), ""))


def _below(group: Any, words: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        path = f"{words} {name}".strip()
        yield path, command
        if hasattr(command, "commands"):
            yield from _below(command, path)


def _lines() -> Iterator[str]:
    for name, command in {"": get_command(app), **all_commands()}.items():
        yield f"pcm {name}".rstrip()
        for parameter in command.params:
            words = " ".join([*parameter.opts, *parameter.secondary_opts])
            kind = "required" if parameter.required else f"default {parameter.default}"
            many = ", many" if parameter.multiple or parameter.nargs == -1 else ""
            yield f"  {words}: {kind}{many}"


if __name__ == "__main__":
    GOLDEN.write_text(surface())
