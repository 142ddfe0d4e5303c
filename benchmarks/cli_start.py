"""How long `pcm --help` takes, against the `--help` of a bare Typer app with one command.

The app comes twice: with Typer's own colours and boxes, which import rich, and without, as pcm
has it. All are started in turn.
Goal: at most 1.5 times the app without.

    python -m benchmarks.cli_start [--rounds 15]
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.pairs import Cost, Rounds, cost_of_command

BARE_APP = '''
import typer

app = typer.Typer({options})


@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(name)


app()
'''
PLAIN, RICH = "bare Typer app, plain help", "bare Typer app, rich help"
PCM = "from launch.cli import app; app()"


def write_app(path: Path, options: str) -> list[str]:
    """The command for the help of an app with these options of Typer."""
    path.write_text(BARE_APP.format(options=options))
    return [sys.executable, str(path), "--help"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            PLAIN: write_app(folder / "plain_app.py", "rich_markup_mode=None"),
            RICH: write_app(folder / "rich_app.py", ""),
            "pcm --help": [sys.executable, "-c", PCM, "--help"],
            "pcm status --help": [sys.executable, "-c", PCM, "status", "--help"],
        }
        ways: dict[str, Callable[[], Cost]] = {
            name: partial(cost_of_command, command) for name, command in commands.items()
        }
        Rounds(ways, 1)  # compiles, and fills the machine's cache
        measured = Rounds(ways, rounds)
    print(f"medians of {rounds} rounds, as multiples of the plain app:")
    for name in ways:
        print(f"{name:27}{measured.line(name, PLAIN)}")


if __name__ == "__main__":
    main()
