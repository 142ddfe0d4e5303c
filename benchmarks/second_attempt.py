"""An experiment's crash in a pack to the first step of its next attempt.

A pack runs as its job's script starts it, with Slurm's variables and a script in the place of
`scontrol`. Its training is killed, the pack gives the experiment back, draws it again, and starts
it: forked from its nursery, and with a process of its own (`PCM_WARM=0`). Both ways take turns.
The first attempt is timed from the start of the pack, which loads its nursery first.
Goals: under 1.5 s for a second attempt in the nursery; a pack's first step no later than where
all start afresh.

    python -m benchmarks.second_attempt [--rounds 3]
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.packs import slurm_environment, submission
from benchmarks.small_sweep import freeze_sweep
from launch.local.nursery import SWITCH
from launch.site import Pack
from launch.store import Experiment, Store
from launch.store.records import training_of
from pcm.run_dir.journal import read_journal

GOAL_S = 1.5
PATIENCE_S = 180.0
OVERRIDES = {
    "subsample_size": 640,
    "model.training.batch_size": 64,
    "model.training.max_epochs": 100_000,
    "trainer.kwargs.log_every_n_steps": 1,
}
"""Training that goes on until it is killed, and writes a row a step."""

WAYS = {"in the nursery": "1", "afresh": "0"}


def wait_for(condition: Callable[[], float | None]) -> float:
    """The condition's first value."""
    deadline = time.monotonic() + PATIENCE_S
    while (value := condition()) is None:
        if time.monotonic() > deadline:
            raise SystemExit("the training does not get on")
        time.sleep(0.01)
    return value


def first_step(experiment: Experiment, attempt: int) -> float:
    """When an attempt made its first step, as its row tells."""

    def found() -> float | None:
        path = experiment.run_dir.metrics
        rows = read_journal(path) if path.exists() else []
        return min((row.time for row in rows if row.attempt == attempt), default=None)

    return wait_for(found)


@contextmanager
def pack(folder: Path, experiments: list[Experiment], switch: str) -> Iterator[None]:
    """A pack of these experiments, one at a time, which is stopped in the end."""
    files = submission(experiments, Pack(len(experiments)))
    process = subprocess.Popen(
        [sys.executable, "-m", "launch.pack", str(files.path)],
        env={**slurm_environment(folder), "SLURM_ARRAY_TASK_ID": "0", SWITCH: switch},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        # It stops what it has started, and waits for that.
        process.terminate()
        process.wait()


def measure(switch: str) -> tuple[float, float]:
    """Seconds to the first step of a first attempt, and of one after a crash."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Of one alone, there would be nothing to share.
        experiments = Store(freeze_sweep(folder, 2, OVERRIDES, retries=1)).experiments()
        begun = time.time()
        with pack(folder, experiments, switch):
            first = first_step(experiments[0], 1) - begun
            training = training_of(experiments[0].run_dir.attempt(1), 0)
            assert training is not None
            os.kill(training.pid, signal.SIGKILL)
            killed = time.time()
            return first, first_step(experiments[0], 2) - killed


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _ in range(asked.rounds):
        for way, switch in WAYS.items():
            found[way].append(measure(switch))
            first, second = found[way][-1]
            print(f"{way}: first attempt {first:.2f} s, second {second:.2f} s", flush=True)
    print(f"medians of {asked.rounds} rounds, wall seconds to an attempt's first step:")
    for way, pairs in found.items():
        first, second = (statistics.median(each) for each in zip(*pairs, strict=True))
        print(f"  {way:15} first attempt {first:6.2f} s   second attempt {second:6.2f} s")
    rounds = list(zip(*found.values(), strict=True))
    ratios = [statistics.median(warm[n] / cold[n] for warm, cold in rounds) for n in (0, 1)]
    print(f"  {'ratio':15} first attempt {ratios[0]:6.2f} x   second attempt {ratios[1]:6.2f} x")
    print(f"goals: a second attempt in the nursery under {GOAL_S} s, a first one at 1 x")


if __name__ == "__main__":
    main()
