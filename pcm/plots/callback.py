"""`neptune_plot`: pictures of each validation."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import Logger

from pcm import generators
from pcm.config.structure import ConfigStructure
from pcm.config.structures.callbacks import NEPTUNE_PLOT
from pcm.plots.failures import failing
from pcm.plots.nodes import Batch
from pcm.plots.top_nodes import build_top_node, title_of
from pcm.plots.waiting import PlotData

if TYPE_CHECKING:
    from pcm.chain import Chain


class NeptunePlot(Callback):
    """Runs a command of the Chain on validation batches and has a plot tree drawn of the result.

    The batches are those that the validation has just used, on rank 0, so no loader is
    asked twice. Random generators and train/eval modes are afterwards as they were: a
    training with plots equals one without, bit for bit. The run's own logger keeps the result
    for a process that draws it; for any other that has `log_figure`, it is drawn here.

    Args:
        cfg: content of the callback's `cfg`.
    """

    _config_structure: ClassVar[ConfigStructure] = NEPTUNE_PLOT

    def __init__(self, cfg: dict[str, Any]) -> None:
        top = cfg["plt_tree_top_node"]
        self._log_path = cfg["neptune_plot_log_path"].strip("/")
        self._command = cfg["command"]["name"]
        self._dynamic_kwargs = cfg["command"]["dynamic_kwargs"]
        self._tree = {key: top[key] for key in ("top_node_name", "top_node_cfg")}
        self._top_node = build_top_node(
            top["top_node_name"], top["top_node_cfg"], "plt_tree_top_node.top_node_cfg"
        )
        self._batches: list[Batch] = []

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget the batches of a validation that did not come to its end."""
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
        wanted = dataloader_idx == 0 and batch_idx < self._top_node.n_batches
        if wanted and trainer.is_global_zero and not trainer.sanity_checking:
            with failing(f"the validation's batch {batch_idx}"):
                self._batches.append(dict(batch))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Hand the validation's pictures to the loggers; a failure is told once."""
        batches, self._batches = self._batches, []
        if not batches:
            return
        with _untouched(pl_module), failing(f"the command {self._command}"):
            with torch.no_grad(), trainer.precision_plugin.forward_context():
                data = self._top_node.data(lambda batch: self._run(pl_module, batch), batches)
            step = _step(trainer, pl_module)
            for logger in trainer.loggers:
                with failing(self._log_path):
                    self._hand(logger, data, step)

    def _run(self, module: LightningModule, batch: Batch) -> Batch:
        chain = cast("Chain", module)
        return chain.run_command(self._command, batch, self._dynamic_kwargs)[0]

    def _hand(self, logger: Logger, data: Batch, step: int) -> None:
        if hasattr(logger, "draw_later"):
            logger.draw_later(PlotData(self._log_path, step, time.time(), **self._tree, data=data))
        elif hasattr(logger, "log_figure"):
            for name, figure in self._top_node.figures(data):
                figure.suptitle(title_of(name, step))
                with failing(f"{self._log_path}/{name}"):
                    logger.log_figure(f"{self._log_path}/{name}", figure, step)
                figure.clear()


def build_callback(cfg: dict[str, Any]) -> NeptunePlot:
    """The callback for a `neptune_plot` entry of a trainer file, from the entry's `cfg`."""
    return NeptunePlot(cfg)


def _step(trainer: Trainer, module: LightningModule) -> int:
    """Training batches done over all attempts."""
    progress = trainer.fit_loop.epoch_loop.batch_progress
    return int(getattr(module, "batches_trained", progress.total.completed))


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
