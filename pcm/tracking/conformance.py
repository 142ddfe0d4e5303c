"""What a tracker must keep, checked against its real client and store; for plugins too.

`check_tracker` makes an experiment, has its tracker fed by processes that it kills at random
moments, loses the record of what was sent, has the rest fed, and then reads the store back: one
run, every step of every series once and in order.

    from pcm.tracking.conformance import check_tracker

    def test_my_tracker(tmp_path):
        check_tracker("my_package.tracker:MyTracker", tmp_path, read_steps)

`read_steps(run_dir)` returns, for each run in the store, series -> steps in their order there.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pcm.run_dir import JournalWriter, RunDir, read_json, write_json
from pcm.tracking.events import EventWriter
from pcm.tracking.feeder import Feeder
from pcm.tracking.outcome import Outcome
from pcm.tracking.tracker import make_tracker

Steps = Mapping[str, Sequence[int]]
ReadSteps = Callable[[RunDir], Sequence[Steps]]

SERIES = ("train/loss", "val/mse")

_ROWS = 40
"""Rows of the journal that an attempt adds before it is killed."""

_REPEATED = 7
"""Rows that the next attempt computes again."""

_PATIENCE = 120.0
_LONGEST_RUN = 0.5
"""Seconds that a feeder lives after it has sent its first points, at most."""


def check_tracker(
    name: str, folder: Path, read_steps: ReadSteps, *, kills: int = 2, seed: int = 0
) -> RunDir:
    """Raise an AssertionError if the tracker loses, repeats or disorders steps.

    Args:
        name: of the tracker, as `tracker:` in a grid file has it.
        folder: an empty one, for the run directory.
        read_steps: reads the store back.
        kills: how often the feeding process is killed.
        seed: of the moments at which.

    Returns:
        The run directory, for further looks.
    """
    run_dir = _make_run_dir(folder / "c0ffee1234", name)
    moments = random.Random(seed)
    last = 0
    for attempt in range(1, kills + 1):
        last = _write_rows(run_dir, attempt, last)
        _feed_and_kill(run_dir, moments.uniform(0, _LONGEST_RUN))
    # The second feeding had to settle what the first left; the last one has no record at all.
    run_dir.tracker.unlink()
    last = _write_rows(run_dir, kills + 1, last)
    _feed_to_end(run_dir)
    _require(run_dir, read_steps, last)
    return run_dir


def _make_run_dir(path: Path, name: str) -> RunDir:
    run_dir = RunDir(path)
    run_dir.path.mkdir(parents=True)
    run_dir.config.write_text("seed: 0\nmodel: {chain: [{name: encoder, dims: [4, 2]}]}\n")
    tracker = {"name": name, "project": None}
    record = {"id": path.name, "name": "a run", "sweep": "a-sweep", "tags": ["one", "two"]}
    write_json(run_dir.experiment, {**record, "overrides": {"seed": 0}, "tracker": tracker})
    return run_dir


def _write_rows(run_dir: RunDir, attempt: int, last: int) -> int:
    """One attempt's rows, from a few steps before `last` on."""
    start = max(0, last - _REPEATED)
    journal = JournalWriter(run_dir.metrics, attempt, start if last else None)
    for step in range(start + 1, start + _ROWS + 1):
        journal.append(step, 0, 1000.0 + step, dict.fromkeys(SERIES, step / 2))
    journal.close()
    events = EventWriter(run_dir.events)
    events.text("checkpoints", start + _ROWS, f"step={start + _ROWS}.ckpt")
    events.close()
    return start + _ROWS


def _start(run_dir: RunDir) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pcm.tracking.conformance", str(run_dir.path)]
    # A session of its own: a batch system kills helpers of the client, too.
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )


def _feed_and_kill(run_dir: RunDir, seconds: float) -> None:
    process = _start(run_dir)
    assert process.stdout is not None
    assert process.stdout.readline() == b"open\n", "the tracker could not be opened"
    time.sleep(seconds)
    for pid in (*_descendants(process.pid), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.communicate()


def _descendants(pid: int) -> list[int]:
    files = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for file in files for child in file.read_text().split()]
    return [each for child in children for each in (*_descendants(child), child)]


def _feed_to_end(run_dir: RunDir) -> None:
    process = _start(run_dir)
    process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, f"feeding ended with exit code {process.returncode}"


def _require(run_dir: RunDir, read_steps: ReadSteps, last: int) -> None:
    runs = read_steps(run_dir)
    assert len(runs) == 1, f"{len(runs)} runs in place of one"
    for key in SERIES:
        steps = list(runs[0].get(key, ()))
        assert steps == list(range(1, last + 1)), f"{key} has the steps {steps}, not 1 to {last}"


def _feed(run_dir: RunDir) -> None:
    """Feed until standard input ends; tell once when the tracker is open."""
    record: dict[str, Any] = read_json(run_dir.experiment)
    tracker = make_tracker(run_dir, record)
    assert tracker is not None, "not a tracker"
    opened = tracker.open

    def open_and_tell(runs: Sequence[str]) -> str:
        run = opened(runs)
        os.write(told, b"open\n")
        return run

    told = os.dup(1)
    os.dup2(2, 1)  # clients print what they like
    tracker.open = open_and_tell  # type: ignore[method-assign]
    feeder = Feeder(run_dir, tracker)
    feeder.feed()
    while sys.stdin.buffer.read():
        pass
    feeder.feed()
    feeder.finish(Outcome.DONE)
    feeder.close()


if __name__ == "__main__":
    _feed(RunDir(Path(sys.argv[1])))
