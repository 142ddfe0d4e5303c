"""From a grid file to "submitted", against sbatch by hand, submitit and Hydra, on a real Slurm.

Each is a command of its own process, on the same test cluster, whose partition is down so that
nothing starts. `pcm launch` expands, checks and freezes every point of the full model config,
with one sbatch call for each array.
Each round runs one of each; ratios are the medians of the rounds.
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
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.pairs import Cost, Rounds, cost_of_command
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


def prepare(folder: Path, points: int) -> list[str]:
    """The command that launches so many points from a folder, which has all it needs."""
    (folder / "config").symlink_to(CONFIG)
    (folder / "bench.yaml").write_text(GRID.format(seeds=list(range(points))))
    return [str(Path(sys.executable).parent / "pcm"), "launch", "bench.yaml", "--yes"]


def pcm(points: int) -> Cost:
    """Of one launch."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = cost_of_command(prepare(folder, points), folder=folder)
        arrays = len(list(folder.glob("runs/sweeps/*/*/submissions/*")))
    assert arrays == -(-points // 1001), f"{arrays} calls of sbatch"
    return found


def megabytes(points: int) -> float:
    """Of the process of one launch, at its largest."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = prepare(folder, points)
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, status
    return usage.ru_maxrss / 1024


def sbatch(points: int) -> Cost:
    """Of an array by hand."""
    with tempfile.TemporaryDirectory() as name:
        array = f"--array=0-{points - 1}"
        command = ["sbatch", "--partition=gpu", array, "--wrap", "true"]
        return cost_of_command(command, folder=Path(name))


def submitit(points: int) -> Cost:
    """Of what submitit itself offers for submitting many."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", MAP_ARRAY.format(points=points)]
        return cost_of_command(command, folder=Path(name))


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hydra-points", type=int, default=100, help="0 for none, else 2 or more")
    asked = parser.parse_args()
    install()
    with SlurmCluster(settings=["MaxJobCount=200000"]) as cluster:
        os.environ |= cluster.environment
        cluster.run("scontrol", "update", "PartitionName=gpu", "State=DOWN")
        # Compiles, and fills the machine's cache.
        memory = {points: megabytes(points) for points in (asked.points, asked.many)}
        ways: dict[str, Callable[[], Cost]] = {
            "pcm launch": partial(pcm, asked.points),
            "submitit map_array": partial(submitit, asked.points),
            "sbatch --array": partial(sbatch, asked.points),
        }
        measured = Rounds(ways, asked.rounds)
        print(f"{asked.points:,} points, medians of {asked.rounds} rounds, as multiples of pcm's:")
        for name in ways:
            print(f"  {name:20}{measured.line(name, 'pcm launch')}")
        ours = measured.median("pcm launch").wall
        if asked.hydra_points:
            seconds = hydra_seconds(asked.points, asked.hydra_points, cluster)
            how = "reckoned from" if asked.hydra_points < asked.points else "measured with"
            print(
                f"  {'Hydra submitit':20}{seconds:25.1f} s wall {seconds / ours:23.0f} x wall"
                f"  (once, {how} {asked.hydra_points:,} points)"
            )
        many = pcm(asked.many).wall
        ratio = (many / asked.many) / (ours / asked.points)
        print(f"{asked.many:,} points, once: {many:.2f} s wall, {ratio:.2f} x as long a point")
        for points, size in memory.items():
            print(f"{points:,} points: {size:.0f} MB")


if __name__ == "__main__":
    main()
