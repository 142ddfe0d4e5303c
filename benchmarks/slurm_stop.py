"""From Slurm's signal to a checkpoint on disk, and from a requeue to the next training step.

A real training of one rank on a test cluster is requeued by hand, which sends it the signals of
a preemption. The peer of the second figure is a cold start of the same training, from the
start of its first job to its first step; each round begins with one. Both mostly import torch and
lightning.
Goals: a checkpoint within a second or so of the signal; a requeued start no slower than a cold
one, for all that it verifies and loads.

    python -m benchmarks.slurm_stop          # as root, in the project's folder
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.slurm_launch import CONFIG
from launch.slurm.queue import read_queue
from launch.store import Experiment, Store
from launch.store.records import read_record
from tests.cluster.slurm import SlurmCluster, install

PCM = str(Path(sys.executable).parent / "pcm")

GRID = """\
name: bench
base: {{model: vae.yaml, data_train: mnist-plain-train.yaml, data_val: mnist-plain-test.yaml}}
set: {{model.training.max_epochs: 100000}}
grid: {{seed: [{seed}]}}
resources: {{tasks_per_node: 1, time: 30, partition: gpu, mem: 4000}}
"""


def wait_for(condition: Callable[[], Any], seconds: float = 90.0) -> Any:
    """The condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise SystemExit("the training does not get on")
        time.sleep(0.01)
    return value


def job_start(task: str) -> float | None:
    """When Slurm started a task; None while it waits."""
    found = read_queue([os.getuid()]).tasks.get(task)
    return found.start if found is not None and found.is_running else None


def seconds_to_step(experiment: Experiment, task: str, attempt: int, former: int) -> float:
    """From the start of a job to the first step beyond `former`, as its files tell."""
    started = wait_for(lambda: job_start(task))
    files = experiment.run_dir.attempt(attempt)
    wait_for(lambda: (read_record(files.progress).get("step") or 0) > former)
    return float(read_record(files.progress)["time"]) - float(started)


def seconds_to_checkpoint(
    cluster: SlurmCluster, experiment: Experiment, task: str, attempt: int
) -> float:
    """Requeue the job; from that to the marker which says that the checkpoint is whole."""
    stopped = experiment.run_dir.attempt(attempt).stopped
    asked = time.time()
    cluster.run("scontrol", "requeue", task)
    wait_for(stopped.exists)
    seconds = stopped.stat().st_mtime - asked
    # Slurm lets a requeued job wait for two minutes.
    wait_for(lambda: read_queue([os.getuid()]).tasks[task].is_waiting)
    cluster.run("scontrol", "update", f"JobId={task}", "StartTime=now")
    return seconds


def start_afresh(folder: Path, seed: int) -> tuple[Experiment, str]:
    """Launch one experiment, and the task that Slurm has for it."""
    before = set(read_queue([os.getuid()]).tasks)
    (folder / "bench.yaml").write_text(GRID.format(seed=seed))
    subprocess.run(
        [PCM, "launch", "bench.yaml", "--yes"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    [task] = set(read_queue([os.getuid()]).tasks) - before
    [experiment] = [
        each for each in Store(folder / "runs").experiments() if each.record["seed"] == seed
    ]
    return experiment, task


def measure(cluster: SlurmCluster, folder: Path, seed: int) -> dict[str, float]:
    """One round: a cold start, a stop, and a start of what was requeued."""
    experiment, task = start_afresh(folder, seed)
    cold = seconds_to_step(experiment, task, 1, 0)
    stop = seconds_to_checkpoint(cluster, experiment, task, 1)
    step = int(read_record(experiment.run_dir.attempt(1).stopped)["step"])
    start = seconds_to_step(experiment, task, 2, step)
    cluster.run("scancel", task)
    wait_for(lambda: not read_queue([os.getuid()]).tasks[task].is_running)
    return {"cold": cold, "stop": stop, "start": start, "ratio": start / cold}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    install()
    with SlurmCluster() as cluster, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= cluster.environment | {"OMP_NUM_THREADS": "1"}
        (folder / "config").symlink_to(CONFIG)
        rounds = [measure(cluster, folder, seed) for seed in range(asked.rounds)]
    cold, stop, start, ratio = (
        statistics.median(each[key] for each in rounds)
        for key in ("cold", "stop", "start", "ratio")
    )
    print(f"medians of {asked.rounds} rounds, wall seconds:")
    print(f"  signal to checkpoint on disk    {stop:6.2f} s")
    print(f"  cold start to the first step    {cold:6.2f} s")
    print(f"  requeued start to its next step {start:6.2f} s  {ratio:.2f} x the cold start")


if __name__ == "__main__":
    main()
