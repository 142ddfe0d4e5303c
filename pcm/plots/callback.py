"""`neptune_plot`: pictures after each validation."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from matplotlib.figure import Figure
from torch import Tensor

from pcm.plots.failures import failing
from pcm.plots.nodes import Batch, build_node
from pcm.training import generators

if TYPE_CHECKING:
    from pcm.chain import Chain


class NeptunePlot(Callback):
    """Runs a command of the Chain on validation batches and draws a plot tree of the result.

    The batches are those that the validation has just used, on rank 0, so no loader is
    asked twice. Random generators and train/eval modes are afterwards as they were: a
    training with plots equals one without, bit for bit. The pictures go to every logger
    that has `log_figure`.

    Args:
        cfg: content of the callback's `cfg`.
    """

    def __init__(self, cfg: dict[str, Any]) -> None:
        top = cfg["plt_tree_top_node"]["top_node_cfg"]
        self._log_path = cfg["neptune_plot_log_path"].strip("/")
        self._command = cfg["command"]["name"]
        self._dynamic_kwargs = cfg["command"]["dynamic_kwargs"] or {}
        self._n_batches = top["n_batches"]
        self._nodes = [
            build_node(node["node_name"], node["node_cfg"], f"{_TREE}.{index}.node_cfg")
            for index, node in enumerate(top["plt_tree_cfg"])
        ]
        self._batches: list[Batch] = []

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the batches of the validation before."""
        del trainer, pl_module
        self._batches = []

    def on_validation_batch_end(  # noqa: PLR0917  # Lightning's signature
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first batches of the first loader."""
        del pl_module, outputs
        wanted = dataloader_idx == 0 and batch_idx < self._n_batches
        if wanted and trainer.is_global_zero and not trainer.sanity_checking:
            self._batches.append(dict(batch))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw, and log."""
        if not self._batches:
            return
        with failing(f"command {self._command}"), _untouched(pl_module):
            with torch.no_grad(), trainer.precision_plugin.forward_context():
                batch = self._run_command(pl_module)
            self._log(trainer, batch, _step(trainer, pl_module))
        self._batches = []

    def _run_command(self, module: LightningModule) -> Batch:
        """The command's results of all batches, joined, on the CPU."""
        chain = cast("Chain", module)
        results = [
            chain.run_command(self._command, batch, self._dynamic_kwargs)[0]
            for batch in self._batches
        ]
        return join(results, [_items(batch) for batch in self._batches])

    def _log(self, trainer: Trainer, batch: Batch, step: int) -> None:
        for name, figure in self._named_figures(batch):
            figure.suptitle(f"{name.replace('_', ' ')}, step {step}")
            with failing(f"{self._log_path}/{name}"):
                for logger in trainer.loggers:
                    if hasattr(logger, "log_figure"):
                        logger.log_figure(f"{self._log_path}/{name}", figure, step)
            figure.clear()

    def _named_figures(self, batch: Batch) -> Iterator[tuple[str, Figure]]:
        """All figures; equal names are told apart by a number."""
        seen: Counter[str] = Counter()
        for node in self._nodes:
            for name, figure in node.figures(batch):
                seen[name] += 1
                yield name if seen[name] == 1 else f"{name}_{seen[name]}", figure


_TREE = "plt_tree_top_node.top_node_cfg.plt_tree_cfg"


def build_callback(cfg: dict[str, Any]) -> NeptunePlot:
    """The callback for a `neptune_plot` entry of a trainer file, from the entry's `cfg`."""
    return NeptunePlot(cfg)


def join(results: list[Batch], items: list[int]) -> Batch:
    """Concatenate the results of several batches, on the CPU.

    A tensor that isn't one row an item, such as the prior's components, is the same for
    all batches; the first one's is taken.
    """
    joined: Batch = {}
    for name in results[0]:
        tensors = [result[name].detach().cpu() for result in results]
        per_item = all(
            tensor.ndim > 0 and len(tensor) == count
            for tensor, count in zip(tensors, items, strict=True)
        )
        joined[name] = torch.cat(tensors) if per_item else tensors[0]
    return joined


def _items(batch: Mapping[str, Tensor]) -> int:
    return len(next(iter(batch.values())))


def _step(trainer: Trainer, module: LightningModule) -> int:
    """Training batches done over all attempts."""
    done = getattr(module, "batches_trained", None)
    return int(
        done if done is not None else trainer.fit_loop.epoch_loop.batch_progress.total.completed
    )


@contextmanager
def _untouched(module: LightningModule) -> Iterator[None]:
    """Evaluate inside the block; generators and modes are as before after it."""
    modes = {child: child.training for child in module.modules()}
    state = generators.capture()
    module.eval()
    try:
        yield
    finally:
        generators.restore(state)
        for child, training in modes.items():
            child.training = training
