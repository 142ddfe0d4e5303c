"""How long `pcm --help` takes, against the `--help` of a bare Typer app with one command.

Both are started alternately, so that a busy machine slows both alike.
Goal: at most 1.5 times the bare app.

    python -m benchmarks.cli_start
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE_APP = '''
import typer

app = typer.Typer()


@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(name)


app()
'''

PCM = "from launch.cli import app; app()"


def seconds(command: list[str]) -> float:
    """Wall time of one run."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        peer = Path(folder) / "bare.py"
        peer.write_text(BARE_APP)
        commands = {
            "a bare Typer app --help": [sys.executable, str(peer), "--help"],
            "pcm --help": [sys.executable, "-c", PCM, "--help"],
            "pcm status --help": [sys.executable, "-c", PCM, "status", "--help"],
        }
        for command in commands.values():
            seconds(command)
        pairs = [{name: seconds(line) for name, line in commands.items()} for _ in range(runs)]
    bare = "a bare Typer app --help"
    for name in commands:
        median = statistics.median(pair[name] for pair in pairs)
        ratio = statistics.median(pair[name] / pair[bare] for pair in pairs)
        print(f"{name:26} {median * 1000:6.0f} ms   {ratio:.2f} x the bare app")


if __name__ == "__main__":
    main()
