"""Sixteen short experiments on this machine, against one process that trains them all.

All ways begin with the start of a process, and are compared in CPU seconds of all their processes,
in turn; for the peers see `benchmarks.one_process`. `--cold` runs the same with a fresh process for
each experiment (`PCM_WARM=0`). `--image` has the experiments train in an image; peers outside need
the same libraries here. Run that as an ordinary user, as whom Apptainer needs no privileges.
Goal: 1.5 times the one process; 2 times that in the image.

    python -m benchmarks.warm_start [--experiments 16] [--rounds 3] [--cold] [--image pcm.sif]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.one_process import OVERRIDES, Peer, peers
from benchmarks.pairs import Cost, Rounds, cost_of_command
from benchmarks.small_sweep import freeze_sweep

GOAL, GOAL_INSIDE = 1.5, 2.0
LAUNCH = """
import sys
from pathlib import Path
from launch.local.runner import run_local
from launch.status.state import State
from launch.store import Store
run = run_local(Store(Path(sys.argv[1])).experiments(), 1, lambda _: None)
sys.exit(any(each.state is not State.DONE for each in run.statuses.values()))
"""


def measure(experiments: int, variables: Mapping[str, str], image: Path | None) -> Cost:
    """Of the launcher, and of all processes that it started."""
    with tempfile.TemporaryDirectory() as folder:
        root = freeze_sweep(Path(folder), experiments, OVERRIDES, image)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        command = [sys.executable, "-c", LAUNCH, str(root)]
        return cost_of_command(command, environment=environment)


def measure_peer(peer: Peer) -> Cost:
    """Of one process."""
    with tempfile.TemporaryDirectory() as folder:
        return peer(Path(folder))[0]


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    variables = {"PCM_WARM": "0"} if options.cold else {}
    theirs = peers(options.experiments, options.image)
    ways: dict[str, Callable[[], Cost]] = {
        "pcm": partial(measure, options.experiments, variables, options.image),
        **{name: partial(measure_peer, peer) for name, peer in theirs.items()},
    }
    rounds = Rounds(ways, options.rounds)
    print(f"{options.experiments} experiments, medians of {options.rounds} rounds; pcm against:")
    for name in theirs:
        print(f"  {name:24}{rounds.line('pcm', name)}")
    goal = GOAL_INSIDE if options.image else GOAL
    print(f"goal: {goal} x the CPU of {[*theirs][-1]}")


if __name__ == "__main__":
    main()
