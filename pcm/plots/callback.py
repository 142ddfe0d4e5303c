"""`neptune_plot`: pictures after each validation."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from matplotlib.figure import Figure

from pcm import generators
from pcm.config.structure import ConfigStructure
from pcm.config.structures.callbacks import NEPTUNE_PLOT
from pcm.plots.failures import failing
from pcm.plots.nodes import Batch
from pcm.plots.top_nodes import build_top_node

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

    _config_structure: ClassVar[ConfigStructure] = NEPTUNE_PLOT

    def __init__(self, cfg: dict[str, Any]) -> None:
        top = cfg["plt_tree_top_node"]
        self._log_path = cfg["neptune_plot_log_path"].strip("/")
        self._command = cfg["command"]["name"]
        self._dynamic_kwargs = cfg["command"]["dynamic_kwargs"]
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
        """Draw the validation's pictures and hand them to the logger; a failure is told once."""
        batches, self._batches = self._batches, []
        if not batches:
            return
        with _untouched(pl_module), failing(f"the command {self._command}"):
            with torch.no_grad(), trainer.precision_plugin.forward_context():
                data = self._top_node.data(lambda batch: self._run(pl_module, batch), batches)
            for name, figure in self._top_node.figures(data):
                self._log(trainer, name, figure, _step(trainer, pl_module))

    def _run(self, module: LightningModule, batch: Batch) -> Batch:
        chain = cast("Chain", module)
        return chain.run_command(self._command, batch, self._dynamic_kwargs)[0]

    def _log(self, trainer: Trainer, name: str, figure: Figure, step: int) -> None:
        figure.suptitle(f"{name.replace('_', ' ')}, step {step}")
        with failing(f"{self._log_path}/{name}"):
            for logger in trainer.loggers:
                if hasattr(logger, "log_figure"):
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
