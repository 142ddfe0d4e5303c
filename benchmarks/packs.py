"""Short experiments in packs, against one process that trains them all, and against plain arrays.

Each side is what a job's script starts on its node, with Slurm's variables and a script in the
place of `scontrol`: `python -m launch.pack` once a pack, `python -m launch.supervisor` once an
experiment, and a process that imports Lightning once and trains the same run directories one after
another, as `python -m pcm` does: one imports it as any program does, another as pcm does, in half
the time. Packs and those processes must come to the same last metrics, to the last digit. One after
the other in the same minute, in CPU seconds of all their processes; srun, which each job has
besides, is left out of all.
`--image` has packs train in an image, and the peer outside as before: it should have the same
libraries. Run that as an ordinary user, as whom Apptainer needs no privileges.
Goal: packs at twice the single process with plain imports, also in an image.

    python -m benchmarks.packs [--experiments 16] [--per-job 8] [--alone 4] [--pairs 3]
        [--image pcm.sif]
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.pairs import spent
from benchmarks.small_sweep import freeze_sweep
from benchmarks.warm_start import LEAN_PEER, OVERRIDES, PEER
from launch.site import Pack
from launch.store import Experiment, Store
from launch.store.submissions import SubmissionDir
from pcm.run_dir import read_json, write_json

GOAL = 2.0

Metrics = list[dict[str, float]]

SCONTROL = """#!/bin/sh
echo "JobId=1 ArrayJobId=1 ArrayTaskId=0 JobState=RUNNING Reason=None Restarts=0 Requeue=1"
"""


def submission(experiments: list[Experiment], pack: Pack | None) -> SubmissionDir:
    """An array of these experiments, as if it had just been submitted."""
    files = SubmissionDir(experiments[0].launch.submissions / "token")
    files.path.mkdir(parents=True)
    ids = [each.id for each in experiments]
    shared = None if pack is None else asdict(pack)
    write_json(files.intent, {"array": ids, "time": time.time(), "pack": shared})
    write_json(files.outcome, {"job_id": "1"})
    return files


def slurm_environment(folder: Path) -> dict[str, str]:
    """Variables of a task of an array, but for its index."""
    programs = folder / "bin"
    programs.mkdir()
    (programs / "scontrol").write_text(SCONTROL)
    (programs / "scontrol").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "SUBMITIT_EXECUTOR": "slurm",
        "SLURM_ARRAY_JOB_ID": "1",
        "SLURM_JOB_ID": "1",
        "SLURM_PROCID": "0",
        "SLURM_LOCALID": "0",
        "SLURM_NODEID": "0",
        "SLURM_NTASKS": "1",
    }


def measure(experiments: int, per_job: int | None, image: Path | None) -> tuple[float, Metrics]:
    """CPU seconds of all experiments, in packs or each in a task of its own; and the results."""
    with tempfile.TemporaryDirectory() as folder:
        found = Store(freeze_sweep(Path(folder), experiments, OVERRIDES, image)).experiments()
        pack = None if per_job is None else Pack(per_job)
        files = submission(found, pack)
        module = "launch.supervisor" if pack is None else "launch.pack"
        environment = slurm_environment(Path(folder))
        before = spent(resource.RUSAGE_CHILDREN).cpu
        for index in range(len(found) if pack is None else pack.tasks(len(found))):
            subprocess.run(
                [sys.executable, "-m", module, str(files.path)],
                env={**environment, "SLURM_ARRAY_TASK_ID": str(index)},
                check=True,
                stderr=subprocess.DEVNULL,
            )
        return spent(resource.RUSAGE_CHILDREN).cpu - before, last_metrics(found)


def measure_peer(experiments: int, program: str = PEER) -> tuple[float, Metrics]:
    """CPU seconds of one process that trains all of them, and the results."""
    with tempfile.TemporaryDirectory() as folder:
        root = freeze_sweep(Path(folder), experiments, OVERRIDES)
        before = spent(resource.RUSAGE_CHILDREN).cpu
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", program, str(root)]
        quiet = subprocess.DEVNULL
        subprocess.run(command, env=environment, check=True, stdout=quiet, stderr=quiet)
        return spent(resource.RUSAGE_CHILDREN).cpu - before, last_metrics(Store(root).experiments())


def last_metrics(experiments: list[Experiment]) -> Metrics:
    """What each has come to, in its first attempt."""
    finished = (read_json(each.run_dir.attempt(1).finished) for each in experiments)
    return [record["metrics"] for record in finished]


def main() -> None:
    """Measure in pairs, in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--per-job", type=int, default=8)
    parser.add_argument("--alone", type=int, default=4, help="experiments with tasks of their own")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    ratios, lean_ratios = [], []
    for number in range(options.pairs):
        packed, ours = measure(options.experiments, options.per_job, options.image)
        peer, theirs = measure_peer(options.experiments)
        lean, its = measure_peer(options.experiments, LEAN_PEER)
        assert ours == theirs == its != [{}] * options.experiments, (ours, theirs, its)
        ratios.append(packed / peer)
        lean_ratios.append(packed / lean)
        print(
            f"pair {number + 1}: in packs {packed:.1f} s of CPU, in one process {peer:.1f} s: "
            f"{ratios[-1]:.2f} times; with pcm's imports {lean:.1f} s: {lean_ratios[-1]:.2f} times",
            flush=True,
        )
    if options.alone:
        alone = measure(options.alone, None, options.image)[0] / options.alone
        each = peer / options.experiments
        print(f"each in its own task {alone:.1f} s, {alone / each:.1f} times the one process")
    middle = statistics.median(ratios)
    print(f"median of {options.pairs}: {middle:.2f} times the CPU of one process (goal {GOAL})")
    print(f"against one with pcm's imports: {statistics.median(lean_ratios):.2f} times")


if __name__ == "__main__":
    main()
