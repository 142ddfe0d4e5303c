"""What the harness costs a step: a trivial model with two optimizers, four ways.

The work of a step is as small as can be (two 16 x 16 linear layers, two Adam optimizers), so
that the harness is what is measured:

- a plain PyTorch loop;
- Lightning as it comes, with manual optimization and two `log_dict` a step;
- a `Chain` under a bare Lightning Trainer;
- `python -m pcm RUN_DIR`: the same Chain with journal, checkpoints and stop requests.

Nobody draws a progress bar. Everyone trains in one thread, in rounds of one turn each; the ratios
are the medians of the rounds. Where torch is built for CUDA and the machine has no GPU, the
optimizers ask for one at every step, which would be a third of the plain loop's time: no
GPU is visible here. Goal: 2,000 steps/s where the plain loop does 4,200, so 0.48 of it.

    python -m benchmarks.step_overhead [--steps 2000] [--rounds 5]
"""

import argparse
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import torch  # after the environment is set
from lightning.pytorch import LightningDataModule, LightningModule, Trainer
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.pairs import Cost, Rounds, spent
from benchmarks.whole_run import run_whole, silence
from pcm.chain import Chain

GOAL = 2000 / 4200
WARM_UP = 100
PLAIN, LIGHTNING = "plain PyTorch loop", "Lightning, two log_dict a step"
DIM, BATCH_SIZE = 16, 32
clock: dict[str, Cost] = {}


class Batches:
    """One batch again and again; notes the time after the warm-up and before the last step."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        x = torch.randn(BATCH_SIZE, DIM)
        self._batch = {"x": x, "y": x}

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        for step in range(WARM_UP + self._steps):
            if step == WARM_UP:
                clock["start"] = spent()
            if step == WARM_UP + self._steps - 1:
                clock["end"] = spent()
            yield dict(self._batch)

    def __len__(self) -> int:
        return WARM_UP + self._steps


class Data(LightningDataModule):
    """The batches as a data class of one's own, for a run of pcm."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def train_dataloader(self) -> Batches:
        """The batches."""
        return Batches(self._steps)


class Naive(LightningModule):
    """Lightning's own example of manual optimization, logging as is usual."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.encoder, self.decoder = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)

    def configure_optimizers(self) -> Any:
        """One for each layer."""
        return [torch.optim.Adam(each.parameters()) for each in (self.encoder, self.decoder)]

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """One backward pass, two steps."""
        del batch_idx
        loss = functional.mse_loss(self.decoder(self.encoder(batch["x"])), batch["y"])
        self.log_dict({"loss": loss}, prog_bar=True, on_step=True, on_epoch=True)
        self.log_dict({"coef": 1.0}, on_step=False, on_epoch=True)
        optimizers: Any = self.optimizers()
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(loss)
        for optimizer in optimizers:
            optimizer.step()


def model_cfg() -> dict[str, Any]:
    """The same model as a chain."""
    dense: dict[str, Any] = {"input_dim": DIM, "output_dim": DIM, "hidden_dims": []}
    dense |= {"ordered_module_specs": [], "block_wrapper_name": None}
    mse = {"name": "mse", "kwargs": {"reduction": "none"}}
    loss = {"coef": 1.0, "loss_fn": mse, "tensor_reductor": {"name": "mean", "kwargs": {}}}
    reduction: dict[str, Any] = {"reduce_pattern": "b ->", "reductor_name": "mean", "kwargs": {}}
    layer = "dense_blocks/dense_block_stack"
    compare = {"data_name": "x", "target_name": "y", "reduce_pattern": "b d -> b"}
    return {
        "chain": [
            {"name": "encoder", "chain_link_spec_path": layer, "cfg": dense},
            {"name": "decoder", "chain_link_spec_path": layer, "cfg": dense},
            {"name": "loss", "chain_link_spec_path": "loss/reconstruction", "cfg": loss},
        ],
        "optimizers": [
            {"optimizer_name": "adam", "links": [name], "kwargs": {}, "lr_scheduler": None}
            for name in ("encoder", "decoder")
        ],
        "training": {
            "batch_size": BATCH_SIZE,
            "max_epochs": 1,
            "check_val_every_n_epoch": None,
        },
        "loss_manager": {
            "reductions": [{**reduction, "pre_scale": None, "post_scale": None}],
            "loss_coef_schedulers": None,
        },
        "commands": [
            {
                "command_name": "forward",
                "processing_steps": [
                    {"link": "encoder", "method": "forward", "kwargs": {"data_name": "x"}},
                    {"link": "decoder", "method": "forward", "kwargs": {"data_name": "x"}},
                    {"link": "loss", "method": "forward", "kwargs": compare},
                ],
            }
        ],
    }


def plain(steps: int) -> None:
    """The plain loop."""
    encoder, decoder = nn.Linear(DIM, DIM), nn.Linear(DIM, DIM)
    optimizers = [torch.optim.Adam(each.parameters()) for each in (encoder, decoder)]
    for batch in Batches(steps):
        loss = functional.mse_loss(decoder(encoder(batch["x"])), batch["y"])
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()


def naive(steps: int) -> None:
    """Lightning as it comes."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            max_epochs=1,
            accelerator="cpu",
            default_root_dir=folder,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Naive(), Batches(steps))


def chain(steps: int) -> None:
    """A Chain under a bare Trainer."""
    trainer = Trainer(
        max_epochs=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Chain(model_cfg()), Batches(steps))


def pcm(steps: int) -> None:
    """A whole run of pcm, in this process."""
    data = {"class_path": f"{Path(__file__).stem}.Data", "init_args": {"steps": steps}}
    run_whole(model_cfg(), data, None, {})


def cost_of_steps(way: Callable[[int], None], steps: int) -> Cost:
    """Of all steps but the warm-up and the last, set-up left out."""
    with silence():
        way(steps)
    return clock["end"] - clock["start"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2000, help="steps of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    # The run imports this file by its name, and both copies must write one clock.
    sys.modules[Path(__file__).stem] = sys.modules["__main__"]
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    ways: dict[str, Callable[[int], None]] = {
        PLAIN: plain,
        LIGHTNING: naive,
        "Chain, bare Trainer": chain,
        "pcm": pcm,
    }
    measured = Rounds(
        {name: partial(cost_of_steps, way, options.steps) for name, way in ways.items()},
        options.rounds,
    )
    print(f"medians of {options.rounds} rounds, CPU seconds; speeds as multiples, CPU (wall)")
    print(f"{'':32}{'steps/s':>8}   {'of plain':13}{'of Lightning':13}")
    for name in ways:
        rate = (options.steps - 1) / measured.median(name).cpu
        of_plain, of_usual = (measured.ratio(each, name) for each in (PLAIN, LIGHTNING))
        print(
            f"{name:32}{rate:8,.0f}   {of_plain.cpu:.2f} ({of_plain.wall:.2f})"
            f"{of_usual.cpu:8.1f} ({of_usual.wall:.1f})"
        )
    share = measured.ratio(PLAIN, "pcm").cpu
    print(f"goal: {GOAL:.2f} of the plain loop: {'met' if share >= GOAL else 'missed'}")


if __name__ == "__main__":
    main()
