"""Sixteen short experiments on this machine, against one process that trains them all.

The peer imports Lightning once, as any program does, and trains the same run directories' configs
one after another, each as `python -m pcm` does. A second peer imports it as pcm does, in half the
time: against that one, what is left is what a launcher, supervisors and forks cost.
All begin with the start of a process, and are compared in CPU seconds of all their processes,
in turn. `--cold` runs the same with a fresh process for each experiment (`PCM_WARM=0`).
`--image` has the experiments train in an image, and the peer outside as before: it should have the
same libraries. Run that as an ordinary user, as whom Apptainer needs no privileges.
Goal: 1.5 times the first peer; 2 times in an image.

    python -m benchmarks.warm_start [--experiments 16] [--rounds 3] [--cold] [--image pcm.sif]
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.pairs import Cost, Rounds, cost_of_command
from benchmarks.small_sweep import freeze_sweep

GOAL, GOAL_INSIDE = 1.5, 2.0
PEER_NAME, LEAN_PEER_NAME = "one process", "and pcm's imports"
STEPS = 20
LAUNCH = """
import sys
from pathlib import Path
from launch.local.runner import run_local
from launch.status.state import State
from launch.store import Store
run = run_local(Store(Path(sys.argv[1])).experiments(), 1, lambda _: None)
sys.exit(any(each.state is not State.DONE for each in run.statuses.values()))
"""
LEAN_PEER = """
import sys
from pathlib import Path
from launch.store import Store
from launch.store.run_dirs import create_run_dir
from pcm.__main__ import main
for each in Store(Path(sys.argv[1])).experiments():
    create_run_dir(each.launch.path, each.id)
    code = main([str(each.run_dir.path)])
    assert code == 0, code
"""
PEER = "import lightning" + LEAN_PEER

OVERRIDES = {
    "subsample_size": 8 * STEPS,
    "model.training.batch_size": 8,
    "model.training.max_epochs": 1,
}


def measure(
    program: str, experiments: int, variables: Mapping[str, str], image: Path | None = None
) -> Cost:
    """Of a program, and of all processes that it started."""
    with tempfile.TemporaryDirectory() as folder:
        root = freeze_sweep(Path(folder), experiments, OVERRIDES, image)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        command = [sys.executable, "-c", program, str(root)]
        return cost_of_command(command, environment=environment)


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    variables = {"PCM_WARM": "0"} if options.cold else {}
    ways = {
        "pcm": partial(measure, LAUNCH, options.experiments, variables, options.image),
        PEER_NAME: partial(measure, PEER, options.experiments, {}),
        LEAN_PEER_NAME: partial(measure, LEAN_PEER, options.experiments, {}),
    }
    rounds = Rounds(ways, options.rounds)
    print(f"{options.experiments} experiments, medians of {options.rounds} rounds:")
    for name in ways:
        print(f"  {name:18}{rounds.line(name, PEER_NAME)}")
    print(f"pcm against pcm's imports: {rounds.ratio('pcm', LEAN_PEER_NAME).cpu:.2f} x CPU")
    goal = GOAL_INSIDE if options.image else GOAL
    print(f"goal: {goal} x the CPU of one process")


if __name__ == "__main__":
    main()
