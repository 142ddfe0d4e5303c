"""`pcm report` of 500 runs x 1,000 points x 8 metrics, against 15 MB and 3 s.

The page is written from a sweep with made results, and opened in headless Chromium. Its peer is
the reading of the journals alone, which any report needs; what is measured is how many times that
the whole page takes. Goals: under 15 MB, and drawn in under 3 s from the moment it is opened.

    python -m benchmarks.report          # Chromium must be there, as the tests install it
"""

import argparse
import tempfile
import time
from pathlib import Path

from launch.report.page.gathering import Gathering
from launch.report.page.html import page
from launch.results.curves import CurvesReader
from launch.status.looking import Looking
from launch.store import Experiment
from tests.report.browser import chromium
from tests.report.sweeps import GRID, freeze, train

MEGABYTES = 15
SECONDS = 3.0


def made(folder: Path) -> list[Experiment]:
    """A sweep of 500 points that are done."""
    experiments = freeze(folder, "made", grid=GRID)
    for experiment in experiments:
        train(experiment, 1000)
    return experiments


def reading(experiments: list[Experiment]) -> float:
    """Seconds of CPU to read all journals into curves."""
    start, reader = time.process_time(), CurvesReader()
    for experiment in experiments:
        reader.read(experiment.run_dir.metrics)
    return time.process_time() - start


def writing(experiments: list[Experiment], target: Path) -> float:
    """Seconds of CPU to write the page."""
    start = time.process_time()
    target.write_text(page(Gathering("made", Looking(), None).gather(experiments)))
    return time.process_time() - start


def drawing(target: Path, times: int) -> float:
    """Seconds from opening the page until all is drawn; the least of some."""
    found = []
    with chromium() as browser:
        for _ in range(times):
            tab = browser.tab()
            tab.size(1280, 900)
            tab.open(target)
            found.append(float(tab.evaluate("document.documentElement.dataset.drawn")) / 1000)
            tab.close()
    return min(found)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often the page is opened")
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        experiments = made(folder)
        target = folder / "made.html"
        peer, whole = reading(experiments), writing(experiments, target)
        size = target.stat().st_size / 1e6
        drawn = drawing(target, times)
    print(f"written in {whole:.1f} s of CPU, {whole / peer:.2f} times the reading of the journals")
    print(f"{size:.1f} MB, {size / MEGABYTES:.0%} of the goal")
    print(f"drawn in {drawn:.2f} s, {drawn / SECONDS:.0%} of the goal")


if __name__ == "__main__":
    main()
