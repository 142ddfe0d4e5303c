"""How long training stands still for a checkpoint, and what the writing costs it afterwards.

Against each other, one after another in each round, for a state of so many megabytes in tensors
of 4 MB:

- one copy of the state in memory that is there already: the limit;
- `save_checkpoint` as it is called in the midst of training: the copy, and a thread that writes;
- the same at a stop: written, flushed to the disk and committed before it returns.

Then steps of a small model, in one thread as a rank has it, while the thread writes and after it.
Goal: at most 2x one copy. The seconds are the wall clock's: what training waits for is the disk.

    python -m benchmarks.checkpoint_stall [--megabytes 600 1200] [--rounds 5]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch  # after the environment is set
from torch import nn

from pcm.training.checkpoints.checkpoint_io import CheckpointFiles

GOAL = 2.0
FACTS = {"step": 1, "epoch": 0, "attempt": 1, "metrics": {}}


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


class Training:
    """Steps of a model that take some milliseconds each."""

    def __init__(self) -> None:
        self._model = nn.Sequential(nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 1024))
        self._batch = torch.randn(256, 1024)

    def step(self) -> None:
        """One step, forth and back."""
        self._model(self._batch).square().mean().backward()

    def rate(self, is_over: Callable[[], bool]) -> float:
        """Steps a second until it is over."""
        count, start = 0, time.perf_counter()
        while not is_over():
            self.step()
            count += 1
        return count / (time.perf_counter() - start)


class Round:
    """One round of each way.

    Attributes:
        times: seconds of `copy`, `aside` and `at_once`.
        slowed: steps a second while a thread writes, as a share of those without.
    """

    def __init__(self, files: CheckpointFiles, state: dict[str, torch.Tensor], path: Path) -> None:
        kept = {name: tensor.clone() for name, tensor in state.items()}
        training = Training()

        def copy() -> None:
            for name, tensor in state.items():
                kept[name].copy_(tensor)

        def save(reason: str) -> None:
            files.save_checkpoint(state, path, FACTS | {"reason": reason})

        self.times = {"copy": seconds(copy), "aside": seconds(lambda: save("interval"))}
        beside = training.rate(lambda: files.newest == path)
        files.finish()
        until = time.perf_counter() + 2
        self.slowed = beside / training.rate(lambda: time.perf_counter() > until)
        self.times["at_once"] = seconds(lambda: save("stop"))
        files.newest = None


def measure(megabytes: int, rounds: int, folder: Path) -> None:
    """Print what a state of that size costs."""
    state = {str(number): torch.randn(1 << 20) for number in range(megabytes // 4)}
    files = CheckpointFiles(None, lambda: None, lambda _: None)
    # The first one is loaded back, and its memory is new.
    files.save_checkpoint(state, folder / "first.ckpt", FACTS | {"reason": "interval"})
    files.finish()
    files.newest = None
    done = [Round(files, state, folder / "next.ckpt") for _ in range(rounds)]
    copy, aside, at_once = (
        median(each.times[name] for each in done) for name in ("copy", "aside", "at_once")
    )
    ratio = median(each.times["aside"] / each.times["copy"] for each in done)
    print(f"{megabytes} MB, medians of {rounds} rounds:")
    print(f"  one copy in memory         {copy:6.2f} s")
    print(f"  training stands still      {aside:6.2f} s  {ratio:.1f}x (goal {GOAL:g}x)")
    print(f"  at a stop, until committed {at_once:6.2f} s")
    print(
        f"  steps while it is written  {median(each.slowed for each in done):6.2f} of those after"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, nargs="+", default=[600, 1200])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in arguments.megabytes:
            measure(megabytes, arguments.rounds, Path(folder))


if __name__ == "__main__":
    main()
