"""Every command with its options, as text: what people's scripts rely on.

python -m tests.cli.surface    writes it down after a change that is meant
"""

from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command

from launch.cli import app

GOLDEN = Path(__file__).with_name("surface.txt")


def surface() -> str:
    """A line a command and, below it, a line a parameter."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    group = get_command(app)
    assert hasattr(group, "commands")
    for name, command in {"": group, **group.commands}.items():
        yield f"pcm {name}".rstrip()
        for parameter in command.params:
            words = " ".join([*parameter.opts, *parameter.secondary_opts])
            kind = "required" if parameter.required else f"default {parameter.default}"
            many = ", many" if parameter.multiple or parameter.nargs == -1 else ""
            yield f"  {words}: {kind}{many}"


if __name__ == "__main__":
    GOLDEN.write_text(surface())
