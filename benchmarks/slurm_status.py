"""`pcm status` of many experiments on Slurm, against squeue alone and the goal of a second.

Half of the experiments are done, the others wait in job arrays on a test cluster whose
partition is down. The peer is `squeue --array`, which lists the same jobs and tells nothing
else; asking once for each job, as is usual, would take that many times its shortest call.
Goals: under 0.5 s for 10,000 experiments where squeue answers at once, with one call of a Slurm
program. Both take turns; the figures are medians of the rounds.

    python -m benchmarks.slurm_status        # as root, in the project's folder
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from benchmarks.pairs import Rounds, cost_of_command
from benchmarks.slurm_launch import CONFIG, GRID
from launch.store import Store
from pcm.run_dir import write_json
from tests.cluster.slurm import SlurmCluster, install

PCM = str(Path(sys.executable).parent / "pcm")

SQUEUE, ONE = "squeue --array", "one squeue a job"
GOAL_S = 0.5

COUNTED = """\
#!/bin/sh
echo {name} >> "{calls}"
exec {path} "$@"
"""


def launch(folder: Path, points: int) -> None:
    """Experiments in Slurm's queue, every second of which is done."""
    (folder / "config").symlink_to(CONFIG)
    (folder / "bench.yaml").write_text(GRID.format(seeds=list(range(points))))
    subprocess.run(
        [PCM, "launch", "bench.yaml", "--yes"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    progress = {"phase": "training", "epoch": 3, "max_epochs": 3, "step": 600, "loss": 0.1}
    for experiment in Store(folder / "runs").experiments()[::2]:
        files = experiment.run_dir.attempt(1)
        files.path.mkdir(parents=True)
        write_json(files.attempt, {"number": 1, "world_size": 1}, durable=False)
        write_json(files.progress, progress, durable=False)
        write_json(files.finished, {"step": 600}, durable=False)


def count_calls(folder: Path) -> Path:
    """Have the clients of Slurm note that they were called."""
    calls = folder / "calls"
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in ("squeue", "sacct", "scontrol", "sinfo"):
        found = subprocess.run(["which", name], check=True, capture_output=True, text=True)
        path = bin_folder / name
        path.write_text(COUNTED.format(name=name, calls=calls, path=found.stdout.strip()))
        path.chmod(0o755)
    os.environ["PATH"] = f"{bin_folder}:{os.environ['PATH']}"
    return calls


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    install()
    settings = ["MaxJobCount=200000"]
    with SlurmCluster(settings=settings) as cluster, tempfile.TemporaryDirectory() as name:
        os.environ |= cluster.environment | {"PCM_RUNS_DIR": f"{name}/runs"}
        cluster.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")
        launch(Path(name), asked.points)
        commands = {
            "pcm status": [PCM, "status"],
            SQUEUE: ["squeue", "--array"],
            ONE: ["squeue", "--noheader", "--jobs=1"],
        }
        ways = {name: partial(cost_of_command, command) for name, command in commands.items()}
        measured = Rounds(ways, asked.rounds)
        calls = count_calls(Path(name))
        done = subprocess.run([PCM, "status", "--json"], check=True, capture_output=True)
        counts = json.loads(done.stdout)["counts"]
        asking = calls.read_text().split()
    print(f"{asked.points:,} experiments, {counts}, calls of Slurm programs: {asking}")
    print(f"medians of {asked.rounds} rounds; goal: {GOAL_S} s more than squeue alone")
    for name in (SQUEUE, "pcm status"):
        print(f"  {name:15}{measured.line(name, SQUEUE)}")
    ratio = measured.ratio(ONE, "pcm status").wall * asked.points
    print(f"  {ONE}: {ratio:.0f} x pcm's time  (reckoned)")


if __name__ == "__main__":
    main()
