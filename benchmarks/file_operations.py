"""Look-ups of files under the runs folder while local experiments train, counted with strace.

Counted is what a file server would be asked: calls that take or list a path under the runs root,
by the launcher, by supervisors and by training itself, in a window of time while steps are made.
Goals: the launcher under 10 a second, all supervisors of a node 2 with whatever number of ranks.
With several ranks it is a script that sleeps, so that what is counted is pcm's alone.
Linux with strace, and the right to trace one's own processes.

    python -m benchmarks.file_operations [--experiments 1] [--ranks 1] [--seconds 20]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.small_sweep import freeze_sweep
from launch.grid import expand
from launch.local.nursery import SWITCH
from launch.store import Store
from launch.store.records import supervisor_of, training_of
from launch.supervisor.job import available_cores

LAUNCH = """
import sys
from pathlib import Path
from launch.local.runner import run_local
from launch.store import Store
run_local(Store(Path(sys.argv[1])).experiments(), int(sys.argv[2]), lambda _: None)
"""
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(")
PATIENCE_S = 180.0
"""For eight ranks to begin; more take as much longer."""


OVERRIDES = {"model.training.max_epochs": 100_000, "model.training.batch_size": 64}
"""Training that goes on for as long as it is watched."""


def freeze_script(folder: Path, ranks: int) -> Path:
    """The runs root, in `folder`, of one experiment whose ranks do nothing."""
    grid = {
        "name": "ranks",
        "run": {"command": ["sleep", "100000"]},
        "resources": {"nodes": 1, "tasks_per_node": ranks},
    }
    file = folder / "grid.yaml"
    file.write_text(json.dumps(grid))
    Store(folder / "runs").freeze(expand(file))
    return folder / "runs"


def processes(root: Path) -> dict[str, list[int]] | None:
    """Supervisors and training processes of all ranks; None before all of them train."""
    experiments = Store(root).experiments()
    attempts = [(each.run_dir.attempt(1), each.world_size) for each in experiments]
    if not all(attempt.progress.exists() for attempt, _ in attempts):
        return None
    ranks = [(attempt, rank) for attempt, count in attempts for rank in range(count)]
    found = {
        "supervisors": [supervisor_of(*each) for each in ranks],
        "training": [training_of(*each) for each in ranks],
    }
    if any(None in each for each in found.values()):
        return None
    return {name: [each.pid for each in group if each] for name, group in found.items()}


def count(
    pids: dict[str, list[int]], root: Path, seconds: float, folder: Path
) -> dict[str, Counter[str]]:
    """The calls of some processes, and their threads, that look for a path under the root."""
    tracers = {}
    for name, group in pids.items():
        command = ["strace", "-f", "-y", "-qq", "-s", "1", "-e", "trace=%file,getdents64"]
        which = [word for pid in group for word in ("-p", str(pid))]
        tracers[name] = subprocess.Popen([*command, "-o", str(folder / name), *which])
    time.sleep(seconds)
    for tracer in tracers.values():
        tracer.terminate()
        tracer.wait()
    counts: dict[str, Counter[str]] = {}
    for name in pids:
        lines = (folder / name).read_text(errors="replace").splitlines()
        # What asks about a file that is open already is answered from memory.
        asked = (line for line in lines if str(root) in line and "AT_EMPTY_PATH" not in line)
        found = (CALL.match(line) for line in asked)
        counts[name] = Counter(match[1] for match in found if match is not None)
    return counts


def main() -> None:
    """Launch, wait for the first steps, count, stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.ranks > 1:
            root = freeze_script(folder, options.ranks)
        else:
            root = freeze_sweep(folder, options.experiments, OVERRIDES)
        threads = str(max(1, available_cores() // options.experiments))
        environment = {**os.environ, "OMP_NUM_THREADS": threads, SWITCH: "1"}
        command = [sys.executable, "-c", LAUNCH, str(root), str(options.experiments)]
        launcher = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            patience_s = PATIENCE_S * max(1.0, options.ranks / 8)
            deadline = time.monotonic() + patience_s
            while (pids := processes(root)) is None and time.monotonic() < deadline:
                time.sleep(0.5)
            assert pids is not None, "training did not begin"
            # What happens once as an attempt begins is over by then.
            time.sleep(5.0)
            pids = {"launcher": [launcher.pid], **pids}
            counts = count(pids, root, options.seconds, folder)
        finally:
            launcher.terminate()
            launcher.wait()
    for name, calls in counts.items():
        rate = sum(calls.values()) / options.seconds
        most = ", ".join(f"{call} {n / options.seconds:.1f}" for call, n in calls.most_common(4))
        print(f"{name} ({len(pids[name])}): {rate:.1f} a second ({most})")
    ranks = len(pids["training"])
    of_ranks = sum(counts["supervisors"].values()) + sum(counts["training"].values())
    per_rank = of_ranks / ranks / options.seconds
    print(f"{ranks} ranks: {per_rank:.2f} a rank and second by supervisors and training")


if __name__ == "__main__":
    main()
