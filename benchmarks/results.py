"""`pcm results` over 10,000 experiments with 1,000 rows each, against 5 s of CPU, and 1 s warm.

The journals are one file under 10,000 names, so that the disk holds them. Cold is without the
kernel having read anything of it lately: no page of it is dropped, so that is CPU, not disk. The
peer is reading all summaries with the standard library alone.

    python -m benchmarks.results [--experiments 10000]
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.pairs import cost_of, cost_of_command
from launch.store import Experiment
from tests.report.sweeps import freeze, train

COLD_S, WARM_S = 5.0, 1.0
ROWS = 1000
METRICS = ("train/loss", "val/loss")


def made(folder: Path, count: int) -> list[Experiment]:
    """A sweep of so many points that are done."""
    experiments = freeze(folder, "made", grid={"seed": list(range(count))})
    first = experiments[0]
    train(first, ROWS, METRICS)
    files = [path for path in first.run_dir.path.rglob("*") if path.is_file()]
    for experiment in experiments[1:]:
        for path in files:
            target = experiment.run_dir.path / path.relative_to(first.run_dir.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)
    return experiments


def looking(folder: Path) -> float:
    """Seconds of CPU that the command takes, the start of Python included."""
    pcm = str(Path(sys.executable).with_name("pcm"))
    words = ["results", "made", "--top", "10", "--metric", "val/loss:min"]
    return cost_of_command([pcm, *words, "--runs-dir", str(folder / "runs")]).cpu


def reading(experiments: list[Experiment]) -> float:
    """Seconds of CPU to read and parse all summaries."""

    def read() -> None:
        for experiment in experiments:
            json.loads(experiment.run_dir.summary.read_bytes())

    return cost_of(read).cpu


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=10_000)
    count = parser.parse_args().experiments
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiments = made(folder, count)
        peer, cold = reading(experiments), looking(folder)
        warm = min(looking(folder) for _ in range(3))
    share = 10_000 / count
    print(f"cold {cold:.2f} s of CPU, {cold / peer:.1f} times the reading of all summaries", end="")
    print(f", {cold * share / COLD_S:.0%} of the goal for 10,000")
    print(f"warm {warm:.2f} s of CPU, {warm * share / WARM_S:.0%} of the goal for 10,000")


if __name__ == "__main__":
    main()
