"""Sixteen short experiments on this machine, against one process that trains them all.

The peer imports torch and Lightning once and trains the same run directories' configs one after
another, each as `python -m pcm` does: what is left is what a launcher, supervisors and forks cost.
Both begin with the start of a process, and are compared in CPU seconds of all their processes,
in pairs. `--cold` runs the same with a fresh process for each experiment (`PCM_WARM=0`).
`--image` has the experiments train in an image, and the peer outside as before: it should have the
same libraries. Run that as an ordinary user, as whom Apptainer needs no privileges.
Goal: 1.5 times the peer; 2 times in an image.

    python -m benchmarks.warm_start [--experiments 16] [--pairs 3] [--cold] [--image pcm.sif]
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.small_sweep import freeze_sweep

GOAL, GOAL_INSIDE = 1.5, 2.0
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
PEER = """
import sys
from pathlib import Path
from launch.store import Store, create_run_dir
from pcm.__main__ import main
for each in Store(Path(sys.argv[1])).experiments():
    create_run_dir(each.launch.path, each.id)
    code = main([str(each.run_dir.path)])
    assert code == 0, code
"""


OVERRIDES = {
    "subsample_size": 8 * STEPS,
    "model.training.batch_size": 8,
    "model.training.max_epochs": 1,
}


def measure(
    program: str, experiments: int, image: Path | None = None, **variables: str
) -> tuple[float, float]:
    """CPU and wall seconds of a program, and of all processes that it started."""
    with tempfile.TemporaryDirectory() as folder:
        root = freeze_sweep(Path(folder), experiments, OVERRIDES, image)
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-c", program, str(root)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    user = after.ru_utime - before.ru_utime
    return user + after.ru_stime - before.ru_stime, ended - begun


def main() -> None:
    """Measure in pairs, in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    variables = {"PCM_WARM": "0"} if options.cold else {}
    ratios = []
    for number in range(options.pairs):
        ours, wall = measure(LAUNCH, options.experiments, options.image, **variables)
        peer, peer_wall = measure(PEER, options.experiments)
        ratios.append(ours / peer)
        print(
            f"pair {number + 1}: launched {ours:.1f} s of CPU ({wall:.1f} s), "
            f"in one process {peer:.1f} s ({peer_wall:.1f} s): {ratios[-1]:.2f} times",
            flush=True,
        )
    middle, goal = statistics.median(ratios), GOAL_INSIDE if options.image else GOAL
    print(f"median of {options.pairs}: {middle:.2f} times the CPU of one process (goal {goal})")


if __name__ == "__main__":
    main()
