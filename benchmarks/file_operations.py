"""Look-ups of files under the runs folder while local experiments train, counted with strace.

Counted is what a file server would be asked: calls that take or list a path under the runs root,
by the launcher, by supervisors and by training itself, in a window of time while steps are made.
Goals: the launcher under 10 a second for one experiment, a supervisor under 3.
Linux with strace, and the right to trace one's own processes.

    python -m benchmarks.file_operations [--experiments 1] [--seconds 20]
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from benchmarks.small_sweep import freeze_sweep
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


OVERRIDES = {"model.training.max_epochs": 100_000, "model.training.batch_size": 64}
"""Training that goes on for as long as it is watched."""


def processes(root: Path) -> dict[str, int] | None:
    """A supervisor and its training process; None before all experiments make steps."""
    experiments = Store(root).experiments()
    attempts = [each.run_dir.attempt(1) for each in experiments]
    if not all(attempt.progress.exists() for attempt in attempts):
        return None
    supervisor, training = supervisor_of(attempts[0], 0), training_of(attempts[0], 0)
    assert supervisor is not None
    assert training is not None
    return {"supervisor": supervisor.pid, "training": training.pid}


def count(
    pids: dict[str, int], root: Path, seconds: float, folder: Path
) -> dict[str, Counter[str]]:
    """The calls of each process, and its threads, that look for a path under the root."""
    tracers = {}
    for name, pid in pids.items():
        command = ["strace", "-f", "-y", "-qq", "-s", "1", "-e", "trace=%file,getdents64"]
        tracers[name] = subprocess.Popen([*command, "-o", str(folder / name), "-p", str(pid)])
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
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        root = freeze_sweep(folder, options.experiments, OVERRIDES)
        threads = str(max(1, available_cores() // options.experiments))
        environment = {**os.environ, "OMP_NUM_THREADS": threads, SWITCH: "1"}
        command = [sys.executable, "-c", LAUNCH, str(root), str(options.experiments)]
        launcher = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PATIENCE_S
            while (pids := processes(root)) is None and time.monotonic() < deadline:
                time.sleep(0.5)
            assert pids is not None, "training did not begin"
            # What happens once as an attempt begins is over by then.
            time.sleep(5.0)
            pids = {"launcher": launcher.pid, **pids}
            counts = count(pids, root, options.seconds, folder)
        finally:
            launcher.terminate()
            launcher.wait()
    for name, calls in counts.items():
        rate = sum(calls.values()) / options.seconds
        most = ", ".join(f"{call} {n / options.seconds:.1f}" for call, n in calls.most_common(4))
        print(f"{name}: {rate:.1f} a second ({most})")


if __name__ == "__main__":
    main()
