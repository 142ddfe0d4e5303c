"""A model made of links, as a config describes it."""

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed
from lightning.pytorch import LightningModule
from torch import Tensor

from pcm.chain.commands import FORWARD, build_commands, describe
from pcm.chain.links import build_links
from pcm.chain.loss_manager import LossManager
from pcm.chain.optimization import build_optimizer, check_owners, clear_gradients
from pcm.chain.running_means import RunningMeans
from pcm.chain.types import Batch, StructuredLoss
from pcm.chain.validation import ValidationSums, merge
from pcm.config.structure import validate_config_structure
from pcm.config.structures.model import MODEL
from pcm.errors import PcmError
from pcm.internals.stepping import CURRENT_HOOK, step_scaled

_CHECKPOINT_KEY = "pcm_chain"


class Chain(LightningModule):
    """Links run in the order that commands give, trained by one or several optimizers.

    Args:
        cfg: content of a model file.

    Attributes:
        chain: the links by name.
        commands: steps of each command by its name.
        batches_trained: training batches done since the beginning, over all attempts.
    """

    _config_structure = MODEL

    def __init__(self, cfg: dict[str, Any]) -> None:
        super().__init__()
        validate_config_structure(cfg, self._config_structure)
        self.automatic_optimization = False
        self.save_hyperparameters(logger=False)
        self.chain = build_links(cfg["chain"])
        self.commands = build_commands(cfg["commands"], self.chain)
        self.loss_manager = LossManager(cfg["loss_manager"])
        self.batches_trained = 0
        check_owners(cfg["optimizers"], self.chain)
        self._optimizers_cfg = cfg["optimizers"]
        self._recent = RunningMeans()
        self._epoch = RunningMeans()
        self._coefs: dict[str, float] = {}
        self._validation = ValidationSums()

    def run_command(
        self,
        command_name: str,
        batch: Batch,
        dynamic_kwargs: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> tuple[Batch, dict[str, StructuredLoss]]:
        """Run a command on a batch; the caller's dict stays as it is.

        Args:
            dynamic_kwargs: kwargs by link name that are added to the config's.

        Returns:
            The batch after the last step, and the losses by `<loss_name>-<link_name>`.

        Raises:
            PcmError: there is no such command.
        """
        if command_name not in self.commands:
            known = ", ".join(self.commands)
            raise PcmError(f"there is no command '{command_name}'", hint=f"one of {known}")
        added = dynamic_kwargs or {}
        batch = dict(batch)
        losses: dict[str, StructuredLoss] = {}
        for position, step in enumerate(self.commands[command_name]):
            method = getattr(self.chain[step.link], step.method)
            try:
                batch, step_losses = method(batch, **{**step.kwargs, **added.get(step.link, {})})
            except Exception as error:
                error.add_note(describe(command_name, position, step, list(batch)))
                raise
            for loss in step_losses:
                losses[_unused_name(f"{loss['name']}-{step.link}", losses)] = loss
        return batch, losses

    def forward(self, batch: Batch) -> tuple[Batch, dict[str, StructuredLoss]]:
        """Run the command `forward`."""
        return self.run_command(FORWARD, batch)

    @property
    def unused_parameters(self) -> bool:
        """Whether some trainable parameters get no gradient from the command `forward`.

        A link of the user's own may name the methods that do not use all of its parameters
        as `partial_methods`.
        """
        used = {
            step.link
            for step in self.commands[FORWARD]
            if step.method not in getattr(self.chain[step.link], "partial_methods", ())
        }
        return any(
            parameter.requires_grad
            for name, link in self.chain.items()
            if name not in used
            for parameter in link.parameters()
        )

    def __setattr__(self, name: str, value: Any) -> None:
        # Lightning notes some twenty times a step which hook it calls. nn.Module looks at each
        # value, which together took 5 % of a small model's step.
        if name == CURRENT_HOOK:
            self.__dict__[name] = value
        else:
            super().__setattr__(name, value)

    def transfer_batch_to_device(
        self, batch: Batch, device: torch.device, dataloader_idx: int
    ) -> Batch:
        """The batch on `device`; itself, without a search through it, if it is there."""
        if all(getattr(value, "device", None) == device for value in batch.values()):
            return batch
        moved: Batch = super().transfer_batch_to_device(batch, device, dataloader_idx)
        return moved

    def configure_optimizers(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The config's optimizers in order, with their LR schedulers."""
        return [build_optimizer(cfg, self.chain) for cfg in self._optimizers_cfg]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Train on one batch: one backward pass, then every optimizer's step."""
        _, losses = self(batch)
        report = self.loss_manager(losses)
        self._optimize(report.total)
        self._step_lr_schedulers("step", batch_idx)
        self.batches_trained += 1
        loss = report.total.detach()
        self._recent.add({"loss": loss, **report.parts}, weight=_items(batch))
        self._coefs = report.coefs
        if self._is_time_to_log():
            self._log_recent()
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Add one batch to the validation's sums."""
        del batch_idx
        _, losses = self(batch)
        self._validation.add(losses, self.loss_manager(losses), _items(batch))

    def on_train_epoch_start(self) -> None:
        """Move the loss coefficients to this epoch."""
        self.loss_manager.start_epoch(self.current_epoch)

    def on_train_epoch_end(self) -> None:
        """Step the LR schedulers, and log the epoch's means."""
        self._step_lr_schedulers("epoch", self.current_epoch)
        if self._recent:
            self._log_recent()
        if self._epoch:
            means = self._epoch.means(self._sum_over_ranks)
            self._log({f"train/{name}_epoch": mean for name, mean in means.items()})
        self._epoch = RunningMeans()

    def on_validation_epoch_start(self) -> None:
        """Forget the validation before."""
        self._validation = ValidationSums()

    def on_validation_epoch_end(self) -> None:
        """Log the metrics of the whole validation set, over all ranks."""
        states = self._gather(self._validation.state())
        if self.trainer.sanity_checking:
            return
        self._log({f"val/{name}": value for name, value in merge(states).items()})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what is equal on all ranks and is in no parameter."""
        checkpoint[_CHECKPOINT_KEY] = {
            "batches_trained": self.batches_trained,
            "loss_manager": self.loss_manager.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up what `on_save_checkpoint` added."""
        state = checkpoint[_CHECKPOINT_KEY]
        self.batches_trained = state["batches_trained"]
        self.loss_manager.load_state_dict(state["loss_manager"])

    def rank_state(self) -> dict[str, Any]:
        """This rank's sums of the running epoch, which no checkpoint of Lightning's holds."""
        return {
            "recent": self._recent.state_dict(),
            "epoch": self._epoch.state_dict(),
            "coefs": dict(self._coefs),
        }

    def load_rank_state(self, state: Mapping[str, Any]) -> None:
        """Take up `rank_state` of this rank, exactly; to be called with training's device set."""
        self._recent.load_state_dict(state["recent"], self.device)
        self._epoch.load_state_dict(state["epoch"], self.device)
        self._coefs = dict(state["coefs"])

    def _optimize(self, loss: Tensor) -> None:
        optimizers = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        clear_gradients(optimizers)
        self.manual_backward(loss)
        scaler = getattr(self.trainer.precision_plugin, "scaler", None)
        if scaler is not None:
            step_scaled(optimizers, scaler)
            return
        for optimizer in optimizers:
            optimizer.step()

    def _step_lr_schedulers(self, interval: str, index: int) -> None:
        """Step the schedulers of this interval that are due after step or epoch `index`."""
        for config in self.trainer.lr_scheduler_configs:
            if config.interval == interval and (index + 1) % config.frequency == 0:
                config.scheduler.step()  # type: ignore[call-arg]  # none of ours monitors a metric

    def _is_time_to_log(self) -> bool:
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]  # set at run time
        return every > 0 and self.batches_trained % every == 0

    def _log_recent(self) -> None:
        means = self._recent.means(self._sum_over_ranks)
        coefs = {f"train/{name}_loss_coef": coef for name, coef in self._coefs.items()}
        self._log({f"train/{name}": mean for name, mean in means.items()} | coefs)
        self._epoch.absorb(self._recent)
        self._recent = RunningMeans()

    def _log(self, metrics: dict[str, float]) -> None:
        """Give metrics that all ranks agree on to the callbacks and, on rank 0, the loggers."""
        tensors = {name: torch.tensor(value) for name, value in metrics.items()}
        for seen_by_callbacks in (self.trainer.callback_metrics, self.trainer.logged_metrics):
            seen_by_callbacks.update(tensors)
        if self.trainer.is_global_zero:
            for logger in self.loggers:
                logger.log_metrics({**metrics, "epoch": self.current_epoch}, self.batches_trained)

    def _sum_over_ranks(self, sums: Tensor) -> Tensor:
        reduced: Tensor = self.trainer.strategy.reduce(sums, reduce_op="sum")
        return reduced

    def _gather(self, state: dict[str, Any]) -> list[dict[str, Any]]:
        """Every rank's `state`, in rank order."""
        if self.trainer.world_size == 1:
            return [state]
        states: list[Any] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(states, state)
        return states


def _items(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def _unused_name(name: str, taken: Mapping[str, Any]) -> str:
    """`name`, or `name.1`, `name.2`... for a link that a command runs several times."""
    unused, runs = name, 0
    while unused in taken:
        runs += 1
        unused = f"{name}.{runs}"
    return unused
