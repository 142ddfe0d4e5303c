"""From a grid file to "submitted", against sbatch by hand, submitit and Hydra, on a real Slurm.

Each is a command of its own process, on the same test cluster, whose partition is down so that
nothing starts. `pcm launch` expands, checks and freezes every point of the full model config,
with one sbatch call for each array.
Goals for 1,000 points: under twice submitit's `map_array` of a trivial function, 100 times
faster than Hydra's submitit launcher, under 100 MB. 10,000 points: linear.

    python -m benchmarks.slurm_launch                       # as root, in the project's folder
    python -m benchmarks.slurm_launch --hydra-points 1000   # no extrapolation; minutes
    python -m benchmarks.slurm_launch --hydra-points 0      # without Hydra

Hydra is installed from the package index into an environment of this script's own. It takes
minutes for 1,000 points, so it gets fewer, and one alone; the difference tells what a further
point costs, and its start is counted once.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.slurm import SlurmCluster, install

CONFIG = Path(__file__).parents[1] / "config"

GRID = """\
name: bench
base: {{model: pcm-cvae.yaml, data_train: mnist-train.yaml, data_val: mnist-test.yaml}}
grid: {{seed: {seeds}}}
resources: {{tasks_per_node: 1, time: 10, partition: gpu}}
"""

MAP_ARRAY = """\
import sys, submitit
executor = submitit.AutoExecutor("jobs", cluster="slurm")
executor.update_parameters(slurm_partition="gpu", timeout_min=10, slurm_array_parallelism=1000)
executor.map_array(abs, range({points}))
"""

HYDRA_APP = """\
import hydra
@hydra.main(config_path=".", config_name="config", version_base=None)
def main(config): pass
main()
"""

Measured = tuple[float, float]
"""Seconds, and megabytes of the process at its largest."""


def measure(command: Sequence[str], folder: Path) -> Measured:
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{errors.decode()}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def pcm(points: int) -> Measured:
    """One launch of so many points."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config").symlink_to(CONFIG)
        (folder / "bench.yaml").write_text(GRID.format(seeds=list(range(points))))
        command = str(Path(sys.executable).parent / "pcm")
        found = measure([command, "launch", "bench.yaml", "--yes"], folder)
        arrays = len(list(folder.glob("runs/sweeps/*/*/submissions/*")))
    assert arrays == -(-points // 1001), f"{arrays} calls of sbatch"
    return found


def sbatch(points: int) -> Measured:
    """An array by hand."""
    with tempfile.TemporaryDirectory() as name:
        array = f"--array=0-{points - 1}"
        return measure(["sbatch", "--partition=gpu", array, "--wrap", "true"], Path(name))


def submitit(points: int) -> Measured:
    """What submitit itself offers for submitting many."""
    with tempfile.TemporaryDirectory() as name:
        return measure([sys.executable, "-c", MAP_ARRAY.format(points=points)], Path(name))


def hydra_python(folder: Path) -> str:
    """An environment with Hydra's launcher."""
    python = folder / "venv" / "bin" / "python"
    packages = ["hydra-core", "hydra-submitit-launcher"]
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    return str(python)


def hydra_seconds(points: int, sample: int, cluster: SlurmCluster) -> float:
    """Seconds for all points, reckoned from one and a sample unless the sample is all."""
    with tempfile.TemporaryDirectory() as name:
        python = hydra_python(Path(name))
        alone, some = (hydra(python, each, cluster) for each in (1, sample))
    return some + (points - sample) * (some - alone) / (sample - 1)


def hydra(python: str, points: int, cluster: SlurmCluster) -> float:
    """Seconds until Slurm has all jobs; the launcher itself goes on to wait for them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.py").write_text(HYDRA_APP)
        model = (CONFIG / "models" / "pcm-cvae.yaml").read_text()
        lines = [f"  {line}" for line in model.splitlines()]
        (folder / "config.yaml").write_text("\n".join(["seed: 0", "model:", *lines]) + "\n")
        launcher = ["-m", "hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu"]
        command = [python, "app.py", *launcher, f"seed=range({points})"]
        before = queued(cluster)
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while queued(cluster) < before + points and process.poll() is None:
                time.sleep(0.05)
            seconds = time.perf_counter() - start
            process.kill()
    if queued(cluster) < before + points:
        raise SystemExit("Hydra's launcher did not submit")
    return seconds


def queued(cluster: SlurmCluster) -> int:
    """Tasks that wait."""
    return cluster.run("squeue", "-hr", "-o", "%i").count("\n")


def median(runs: Sequence[Measured]) -> Measured:
    """Of time and memory."""
    return statistics.median(run[0] for run in runs), max(run[1] for run in runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--hydra-points", type=int, default=100, help="0 for none, else 2 or more")
    asked = parser.parse_args()
    install()
    with SlurmCluster(settings=["MaxJobCount=200000"]) as cluster:
        os.environ |= cluster.environment
        cluster.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")
        rounds = [
            (pcm(asked.points), submitit(asked.points), sbatch(asked.points))
            for _ in range(asked.runs)
        ]
        ours, theirs, bare = (median(each) for each in zip(*rounds, strict=True))
        print(f"{asked.points:,} points, median of {asked.runs}:")
        print(f"  pcm launch            {ours[0]:7.2f} s  {ours[1]:4.0f} MB")
        print(f"  submitit map_array    {theirs[0]:7.2f} s  pcm: {ours[0] / theirs[0]:.2f} x")
        print(f"  sbatch --array        {bare[0]:7.3f} s  pcm: {ours[0] / bare[0]:.0f} x")
        if asked.hydra_points:
            seconds = hydra_seconds(asked.points, asked.hydra_points, cluster)
            how = "reckoned from" if asked.hydra_points < asked.points else "measured with"
            print(
                f"  Hydra's launcher      {seconds:7.1f} s  pcm: 1/{seconds / ours[0]:.0f}", end=" "
            )
            print(f"({how} {asked.hydra_points:,} points)")
        many = pcm(asked.many)
        print(f"{asked.many:,} points: {many[0]:.2f} s, {many[1]:.0f} MB;", end=" ")
        ratio = (many[0] / asked.many) / (ours[0] / asked.points)
        print(f"{ratio:.2f} x the time of a point in {asked.points:,}")


if __name__ == "__main__":
    main()
