"""A sweep of short experiments on a test cluster: from its launch to the last result.

The same grid is launched in packs and as a plain array, each task a core, in turn. Each way has as
many cores of the cluster as this machine has. What is timed begins with `pcm launch` and ends
with the last `finished.json`.
Goal: packs in less time than the array, the less the shorter the experiments.

    python -m benchmarks.slurm_packs [--experiments 200] [--per-job 50] [--rounds 1]    # as root
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.one_process import OVERRIDES, STEPS
from benchmarks.slurm_launch import CONFIG
from launch.store import Store
from pcm.run_dir.files import write_json
from tests.cluster.slurm import SlurmCluster, install

PACKS, ARRAY = "in packs", "a plain array"
PATIENCE_S = 7200.0
PCM = str(Path(sys.executable).parent / "pcm")


def resources(cores: int, per_job: int | None) -> dict[str, Any]:
    """What one experiment asks for, and how many run at a time."""
    asked = {"tasks_per_node": 1, "time": 60, "partition": "gpu", "mem": 1000}
    pack = {} if per_job is None else {"pack": {"per_job": per_job}}
    return {**asked, "max_parallel": cores, **pack}


def run_sweep(experiments: int, asked: Mapping[str, Any]) -> float:
    """Launch a grid and wait for its last result; how long that took."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / "config").symlink_to(CONFIG)
        grid = {
            "name": "bench",
            "base": {
                "model": "vae.yaml",
                "data_train": "mnist-plain-train.yaml",
                "data_val": "mnist-plain-test.yaml",
            },
            "set": dict(OVERRIDES),
            "grid": {"seed": [*range(experiments)]},
            "resources": dict(asked),
        }
        write_json(folder / "bench.yaml", grid)
        begun = time.time()
        command = [PCM, "launch", "bench.yaml", "--yes"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        ends = [each.run_dir.attempt(1).finished for each in Store(folder / "runs").experiments()]
        while not all(end.exists() for end in ends):
            if time.time() > begun + PATIENCE_S:
                raise SystemExit("the sweep does not come to its end")
            time.sleep(0.5)
        return max(end.stat().st_mtime for end in ends) - begun


def main() -> None:
    """Measure in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--per-job", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    install()
    cores = len(os.sched_getaffinity(0))
    ways = {
        PACKS: resources(cores, options.per_job),
        ARRAY: resources(cores, None),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    with SlurmCluster() as cluster:
        os.environ |= cluster.environment | {"OMP_NUM_THREADS": "1"}
        for _ in range(options.rounds):
            for way, asked in ways.items():
                took[way].append(run_sweep(options.experiments, asked))
                print(f"{way}: {took[way][-1]:.1f} s", flush=True)
    ratio = statistics.median(a / b for a, b in zip(*took.values(), strict=True))
    print(
        f"{options.experiments} experiments of {STEPS} steps on {cores} cores of a test cluster,"
        f" medians of {options.rounds}, wall seconds to the last result:"
    )
    for way, seconds in took.items():
        print(f"  {way:14} {statistics.median(seconds):8.1f} s")
    print(f"packs: {ratio:.2f} times the array")


if __name__ == "__main__":
    main()
