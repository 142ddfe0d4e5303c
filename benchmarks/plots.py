"""What pictures of every validation cost training: with every plot on, against none.

Both train config/models/pcm-cvae.yaml by `python -m pcm RUN_DIR`, from the
first step to the last, in one thread for each of two cores, which the process that draws has to
share. With plots every validation has those of config/trainer/plots.yaml drawn, and t-SNE and UMAP
of the latent space, of 1,024 points each. What is left to draw after the last step is not counted,
and what has been drawn by then is told, since on a busy machine that is less.

An epoch of the bundled digits is a second or two, so that a third of it may go to validation and
what its plots compute. The goal is for epochs as long as real ones: with `--data FOLDER`, which has
MNIST/raw/ with the full data set, on as many of its digits as `--digits` says.

Goal: training loses less than 3 % of its wall time.

    python -m benchmarks.plots [--epochs 4] [--rounds 3] [--data FOLDER [--digits 20000]]
"""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.pop("PCM_DATA_DIR", None)

import torch  # after the environment is set
from lightning.pytorch import Callback, LightningModule, Trainer

from benchmarks.fit import CONFIG, DATA, HELD_OUT, model_cfg
from benchmarks.pairs import Cost, Rounds, spent
from benchmarks.whole_run import run_whole, silence
from pcm.config.document import load_document
from pcm.data.datamodule import DATA_DIR_VARIABLE
from pcm.run_dir import RunDir
from pcm.tracking.events import LineTail

GOAL = 0.03
CORES = 2
clock: dict[str, Cost] = {}
drawn: list[int] = []


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


def way(epochs: int, digits: int | None, callbacks: list[dict[str, Any]]) -> Callable[[], Cost]:
    """Training with callbacks, on all digits or on so many."""
    own = {"class_path": f"{Path(__file__).stem}.Clock", "init_args": {}}

    def run() -> Cost:
        with silence():
            run_whole(
                model_cfg(epochs),
                DATA,
                HELD_OUT,
                {},
                callbacks=[own, *callbacks],
                subsample_size=digits,
            )
        return clock["end"] - clock["start"]

    return run


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="has MNIST/raw/; default: the bundled digits")
    parser.add_argument("--digits", type=int, help="of an epoch; default: all")
    arguments = parser.parse_args()
    if arguments.data is not None:
        os.environ[DATA_DIR_VARIABLE] = str(arguments.data)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    torch.set_num_threads(CORES)
    # The run imports this file by its name, and both copies must write one clock.
    sys.modules[Path(__file__).stem] = sys.modules["__main__"]
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    ways = {
        "no plots": way(arguments.epochs, arguments.digits, []),
        "every plot": way(arguments.epochs, arguments.digits, plots()),
    }
    rounds = Rounds(ways, arguments.rounds)
    for name in ways:
        print(f"{name:12} {rounds.line(name, 'no plots')}")
    pictures = sum(drawn) / arguments.rounds
    print(f"{pictures:.0f} pictures drawn before the last step, of {arguments.epochs} validations")
    lost = rounds.ratio("every plot", "no plots").wall - 1
    print(f"goal: loses under {GOAL:.0%}: {lost:.1%}, {'met' if lost < GOAL else 'missed'}")


if __name__ == "__main__":
    main()
