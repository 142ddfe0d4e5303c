"""What the logger and the process that feeds trackers cost a step, against none: under 1 %.

A step is a few milliseconds of matrix products, and logs a row of eight metrics each time; the
goal is held against one row in fifty steps, as Lightning and pcm's own trainer files have it.
What the step's thread spends on logging is timed between the products, in CPU time, so that a
busy machine doesn't decide: with the journal alone (`tracker: csv`), and with a process beside it
that feeds TensorBoard. What that process takes itself, on another core, is printed besides; most
of it is its start.

    python -m benchmarks.tracking [--steps 2000]
"""

import argparse
import os
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np  # after the environment is set

from pcm.run_dir import RunDir, write_json
from pcm.tracking.logger import RunLogger

GOAL = 0.01
EVERY = 50
METRICS = tuple(f"val/metric_{place}" for place in range(8))
SIDE, PRODUCTS = 256, 8
TRACKERS = ("csv", "tensorboard")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU: of a step's products, of its logging, of the feeding process in all."""

    work: float
    logging: float
    feeding: float


def train(steps: int, folder: Path, tracker: str) -> Cost:
    """A run that logs at every step."""
    run_dir = RunDir(folder)
    run_dir.path.mkdir()
    run_dir.config.write_text("seed: 0\n")
    record = {"id": "c0ffee1234", "name": "a run", "tracker": {"name": tracker, "project": None}}
    write_json(run_dir.experiment, record)
    others = _children()
    logger = RunLogger(run_dir, record, 1, None)
    matrix = np.random.default_rng(0).normal(size=(SIDE, SIDE))
    work = logging = 0.0
    for step in range(1, steps + 1):
        start = time.process_time()
        for _ in range(PRODUCTS):
            matrix = np.tanh(matrix @ matrix)
        middle = time.process_time()
        logger.log_metrics(dict.fromkeys(METRICS, 1 / step), step)
        work, logging = work + middle - start, logging + time.process_time() - middle
    logger.finalize("success")
    return Cost(work / steps, logging / steps, _children() - others)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2000)
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as folder:
        for tracker in TRACKERS:
            cost = train(steps, Path(folder) / tracker, tracker)
            share = cost.logging / cost.work
            row = f"{cost.logging * 1e6:.0f} us for a row, {share:.1%} of {cost.work * 1e3:.1f} ms"
            usual = share / EVERY
            print(
                f"{tracker}: {row}; {usual:.3%} of a step as usual, {usual / GOAL:.0%} of the goal"
            )
            if cost.feeding:
                print(f"  the process that feeds it: {cost.feeding:.1f} s of CPU in all")


if __name__ == "__main__":
    main()
