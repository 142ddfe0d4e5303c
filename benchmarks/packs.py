"""Short experiments in packs, against one process that trains them all, and against plain arrays.

Each side is what a job's script starts on its node, with Slurm's variables and a script in the
place of `scontrol`: `python -m launch.pack` once a pack, `python -m launch.supervisor` once an
experiment, and the processes of `benchmarks.one_process`. Packs and those must come to the same
last metrics, to the last digit. One after the other in the same minute, in CPU seconds of all
their processes; srun, which each job has besides, is left out of all.
`--image` has packs train in an image; peers outside need the same libraries here. Run that as an
ordinary user, as whom Apptainer needs no privileges.
Goal: packs at twice the one process; in an image, at twice that in the image.

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

from benchmarks.one_process import OVERRIDES, Metrics, last_metrics, peers
from benchmarks.pairs import spent
from benchmarks.small_sweep import freeze_sweep
from launch.site import Pack
from launch.store import Experiment, Store
from launch.store.submissions import SubmissionDir
from pcm.run_dir import write_json

GOAL = 2.0

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


def main() -> None:
    """Measure in pairs, in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=16)
    parser.add_argument("--per-job", type=int, default=8)
    parser.add_argument("--alone", type=int, default=4, help="experiments with tasks of their own")
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--image", type=Path)
    options = parser.parse_args()
    theirs = peers(options.experiments, options.image)
    ratios: dict[str, list[float]] = {name: [] for name in theirs}
    held_to = [*theirs][-1]
    for number in range(options.pairs):
        packed, ours = measure(options.experiments, options.per_job, options.image)
        print(f"round {number + 1}: in packs {packed:.1f} s of CPU", end="", flush=True)
        for name, peer in theirs.items():
            with tempfile.TemporaryDirectory() as folder:
                cost, its = peer(Path(folder))
            assert ours == its != [{}] * options.experiments, (name, ours, its)
            ratios[name].append(packed / cost.cpu)
            print(f", {name} {cost.cpu:.1f} s", end="", flush=True)
        print()
    if options.alone:
        alone = measure(options.alone, None, options.image)[0] / options.alone
        each = cost.cpu / options.experiments
        print(f"each in its own task {alone:.1f} s, {alone / each:.1f} times {held_to}")
    print(f"CPU of packs against each, medians of {options.pairs} rounds:")
    for name, found in ratios.items():
        print(f"  {name:24}{statistics.median(found):.2f} x")
    print(f"goal: {GOAL} x {held_to}")


if __name__ == "__main__":
    main()
