"""What pictures of every validation cost training: with every plot on, against none.

All train config/models/pcm-cvae.yaml by `python -m pcm RUN_DIR`, from the first step to the last,
on two cores. With plots every validation has those of config/trainer/plots.yaml, and t-SNE and UMAP
of the latent space, of 1,024 points each at most. "Arrays alone" keeps the arrays and has no
process that draws, so that it tells what training does itself; the rest is what a process beside it
takes of cores and memory. CPU is training's alone, and its callbacks' share is timed by itself,
which holds also where others use the machine. With two threads training wants both cores, and with
`--threads 1` one is free for the drawing.

What is left to draw after the last step is not counted, and what has been drawn by then is told,
since on a busy machine that is less; so is what other programs took of the two cores: where that is
a tenth or more, wall times are theirs too, and say nothing of the goal.

An epoch of the bundled digits is a second or two, so that a third of it may go to validation and
what its plots compute. The goal is for epochs as long as real ones: with `--data FOLDER`, which has
MNIST/raw/ with the full data set, on as many of its digits as `--digits` says.

Goal: training loses less than 3 % of its wall time.

    python -m benchmarks.plots [--epochs 4] [--rounds 3] [--threads 2]
                               [--data FOLDER [--digits 20000]]
"""

import argparse
import logging
import os
import resource
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.pop("PCM_DATA_DIR", None)

import torch  # after the environment is set
from lightning.pytorch import Callback, LightningModule, Trainer

from benchmarks.fit import CONFIG, DATA, HELD_OUT, model_cfg
from benchmarks.pairs import Cost, Rounds, spent
from benchmarks.whole_run import run_whole, silence
from pcm.config.document import load_document
from pcm.data.datamodule import DATA_DIR_VARIABLE
from pcm.plots import NeptunePlot
from pcm.plots import drawing_process as process
from pcm.run_dir import RunDir
from pcm.tracking import logger
from pcm.tracking.events import LineTail

GOAL = 0.03
QUIET = 0.1
TIMED: tuple[tuple[Any, str, Callable[[], float]], ...] = (
    (NeptunePlot, "on_validation_batch_end", time.process_time),
    (NeptunePlot, "on_validation_end", time.process_time),
    (process, "keep", time.thread_time),
)
"""What training does for its plots: commands and copies in all of torch's threads, and a thread."""
CORES = 2
NONE, EVERY = "no plots", "every plot"
clock: dict[str, Cost] = {}
drawn: list[int] = []
shares: list[float] = []


class Clock(Callback):
    """Notes the cost at the first and at the last step, and what has been drawn by then."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The first step is next."""
        del trainer, pl_module
        clock["start"] = spent()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """The last step is done."""
        del pl_module
        clock["end"] = spent()
        run_dir = RunDir(Path(trainer.default_root_dir))
        drawn.append(sum(1 for _ in LineTail(run_dir.pictures).read()))


def projected(node: str) -> dict[str, Any]:
    """The latent space in two dimensions."""
    scatter = {
        "name": "colored_scatterplot",
        "kwargs": {},
        "data_args_names": ["latent", "condition_values"],
        "filename_comp": "scatter",
    }
    below = {"node_name": "plt_fn_node_list", "node_cfg": {"plt_fn_node_list": [scatter]}}
    return {"node_name": node, "node_cfg": {"kwargs": {}, "data_name": "latent", **below}}


def plots() -> list[dict[str, Any]]:
    """Every plot of the catalogue."""
    callbacks: list[dict[str, Any]] = load_document(CONFIG / "trainer" / "plots.yaml").data[
        "callbacks"
    ]
    plotting = [each for each in callbacks if each["name"] == "neptune_plot"]
    tree = plotting[0]["cfg"]["plt_tree_top_node"]["top_node_cfg"]["plt_tree_cfg"]
    tree += [projected("perform_tsne_node"), projected("perform_umap_node")]
    return plotting


def way(
    epochs: int, digits: int | None, callbacks: list[dict[str, Any]], *, is_drawn: bool = True
) -> Callable[[], Cost]:
    """Training with callbacks, on all digits or on so many."""
    own = {"class_path": f"{Path(__file__).stem}.Clock", "init_args": {}}

    def run() -> Cost:
        with ExitStack() as stack:
            stack.enter_context(silence())
            # What isn't counted is not waited for.
            stack.enter_context(mock.patch.object(logger, "_DRAWING_GRACE", 0.0))
            own_cpu: list[float] = []
            for target, function, now in TIMED:
                timed = timing(getattr(target, function), now, own_cpu)
                stack.enter_context(mock.patch.object(target, function, timed))
            if not is_drawn:
                stack.enter_context(mock.patch.object(process, "Companion"))
            run_whole(
                model_cfg(epochs),
                DATA,
                HELD_OUT,
                {},
                callbacks=[own, *callbacks],
                subsample_size=digits,
            )
        cost = clock["end"] - clock["start"]
        if own_cpu:
            shares.append(sum(own_cpu) / cost.cpu)
        return cost

    return run


def timing(
    function: Callable[..., Any], now: Callable[[], float], seconds: list[float]
) -> Callable[..., Any]:
    """The function, and how long each call takes by a clock."""

    def timed(*arguments: Any) -> Any:
        before = now()
        try:
            return function(*arguments)
        finally:
            seconds.append(now() - before)

    return timed


def used(cores: Collection[int]) -> Cost:
    """By all programs of these cores, as far as the kernel tells; only differences count."""
    lines = (line.split() for line in Path("/proc/stat").read_text().splitlines())
    names = {f"cpu{core}" for core in cores}
    busy = [
        sum(map(int, ticks[:3])) + sum(map(int, ticks[5:7]))
        for name, *ticks in lines
        if name in names
    ]
    return Cost(sum(busy) / os.sysconf("SC_CLK_TCK"), spent().wall)


def taken_by_others(before: Cost, after: Cost, ours: float) -> float:
    """The share of the two cores' time that went neither to training nor to drawing."""
    gone = after - before
    return max(0.0, gone.cpu - ours) / (gone.wall * CORES)


def cpu_of_ours() -> float:
    """Of this process and of those that have drawn for it."""
    return spent().cpu + spent(resource.RUSAGE_CHILDREN).cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, choices=range(1, CORES + 1), default=CORES)
    parser.add_argument("--data", type=Path, help="has MNIST/raw/; default: the bundled digits")
    parser.add_argument("--digits", type=int, help="of an epoch; default: all")
    arguments = parser.parse_args()
    if arguments.data is not None:
        os.environ[DATA_DIR_VARIABLE] = str(arguments.data)
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(arguments.threads)
    # The run imports this file by its name, and both copies must write one clock.
    sys.modules[Path(__file__).stem] = sys.modules["__main__"]
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    size = (arguments.epochs, arguments.digits)
    ways = {
        NONE: way(*size, []),
        "arrays alone": way(*size, plots(), is_drawn=False),
        EVERY: way(*size, plots()),
    }
    before, ours = used(cores), cpu_of_ours()
    rounds = Rounds(ways, arguments.rounds)
    others = taken_by_others(before, used(cores), cpu_of_ours() - ours)
    free = "one is free" if arguments.threads < CORES else "none is free"
    print(f"training in {arguments.threads} threads on {len(cores)} cores: {free} for the drawing")
    for name in ways:
        print(f"{name:12} {rounds.line(name, NONE)}")
    pictures = drawn[len(ways) - 1 :: len(ways)]
    validations = f"{arguments.epochs} validations"
    print(f"{sum(pictures) / len(pictures):.0f} pictures before the last step, of {validations}")
    print(f"other programs took {others:.0%} of the cores' time")
    lost = rounds.ratio(EVERY, NONE)
    own = statistics.median(shares)
    print(f"training's CPU {lost.cpu - 1:+.1%}; {own:.1%} are its callbacks'")
    verdict = verdict_of(lost.wall - 1, others)
    print(f"goal: loses under {GOAL:.0%} wall: {lost.wall - 1:+.1%}, {verdict}")


def verdict_of(lost: float, others: float) -> str:
    """Whether the goal is met, where that can be told."""
    if others >= QUIET:
        return "which says nothing on a machine that others use"
    return "met" if lost < GOAL else "missed"


if __name__ == "__main__":
    main()
