"""Stands in for `python -m pcm`: keeps to the protocol of the run directory, trains nothing.

    python stand_in.py -m pcm RUN_DIR --attempt N [--checkpoint NAME]

Environment variables say what it does:
    STAND_IN_STEPS      steps until the end (20), 50 ms each
    STAND_IN_FAIL       rank that raises an error at its third step
    STAND_IN_KILLED     rank that kills itself at its third step
    STAND_IN_SILENT     the rank that exits with 0 at its third step, without a word
    STAND_IN_DEAF       if set, no rank ever ends by itself
    STAND_IN_WORKER     if set, each rank has a child process that sleeps
    STAND_IN_IMPORT     seconds before it does anything, as if it were importing torch
    STAND_IN_CHECKPOINT seconds that the checkpoint of a stop takes
    STAND_IN_MEMORY     megabytes that each rank takes at its third step
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

from pcm.errors import ExitCode
from pcm.run_dir import AttemptDir, RunDir, atomic_writer, read_json, write_json

RANK = int(os.environ["RANK"])
STEPS = int(os.environ.get("STAND_IN_STEPS", "20"))
STEP_S = 0.05
MEMORY: list[bytes] = []


def is_chosen(variable: str) -> bool:
    return os.environ.get(f"STAND_IN_{variable}") == str(RANK)


def main() -> int:
    time.sleep(float(os.environ.get("STAND_IN_IMPORT", "0")))
    run_dir, attempt = RunDir(Path(sys.argv[3])), int(sys.argv[5])
    files = run_dir.attempt(attempt)
    print(f"rank {RANK} of attempt {attempt} {sys.argv[6:]}")
    if "STAND_IN_WORKER" in os.environ:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    if RANK == 0:
        names = ("WORLD_SIZE", "OMP_NUM_THREADS", "SLURM_JOB_ID", "SUBMITIT_EXECUTOR")
        print({name: os.environ.get(name) for name in names}, Path.cwd())
    return train(run_dir, files)


def train(run_dir: RunDir, files: AttemptDir) -> int:
    if RANK == 0:
        # Fails where the experiment is being trained already.
        alone = (run_dir.path / "stand-in.lock").open("w")
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    step = done_before(run_dir, files.number)
    print(f"goes on from step {step}")
    while step < STEPS or "STAND_IN_DEAF" in os.environ:
        step += 1
        time.sleep(STEP_S)
        misbehave(files, step)
        if "STAND_IN_DEAF" in os.environ:
            continue
        if files.failed.exists():
            tell(files, ConnectionError("connection closed by peer"))
        if RANK == 0:
            progress = {"phase": "training", "epoch": 0, "step": step, "loss": 1 / step}
            write_json(files.progress, progress, durable=False)
            if files.stop.exists():
                save(run_dir, files, progress)
                write_json(files.stopped, {"checkpoint": None, "step": step})
        if files.stopped.exists():
            return ExitCode.STOPPED
        if files.finished.exists():
            return ExitCode.DONE
    if RANK == 0:
        write_json(files.finished, {"step": step, "epoch": 1, "metrics": {}})
    return ExitCode.DONE


def save(run_dir: RunDir, files: AttemptDir, progress: dict[str, object]) -> None:
    """Write a checkpoint for as long as it is to take."""
    seconds = float(os.environ.get("STAND_IN_CHECKPOINT", "0"))
    if seconds == 0:
        return
    write_json(files.progress, progress | {"phase": "checkpointing"}, durable=False)
    run_dir.checkpoints.mkdir(exist_ok=True)
    with atomic_writer(run_dir.checkpoints / "stand-in.ckpt") as stream:
        stream.write(b"begun")
        stream.flush()
        time.sleep(seconds)


def done_before(run_dir: RunDir, number: int) -> int:
    """Where the attempts before have stopped."""
    stops = [run_dir.attempt(former).stopped for former in range(1, number)]
    return max((read_json(stop)["step"] for stop in stops if stop.exists()), default=0)


def misbehave(files: AttemptDir, step: int) -> None:
    if step != 3:
        return
    if "STAND_IN_MEMORY" in os.environ:
        MEMORY.extend(b"x" * 1_000_000 for _ in range(int(os.environ["STAND_IN_MEMORY"])))
    if is_chosen("SILENT"):
        sys.exit(0)
    if is_chosen("KILLED"):
        os.kill(os.getpid(), signal.SIGKILL)
    if is_chosen("FAIL"):
        tell(files, ValueError("no such digit: 11\nsecond line"))


def tell(files: AttemptDir, error: Exception) -> NoReturn:
    try:
        raise error
    finally:
        record = {"type": type(error).__name__, "message": str(error), "rank": RANK}
        write_json(files.error(RANK), record | {"traceback": traceback.format_exc()})


if __name__ == "__main__":
    sys.exit(main())
