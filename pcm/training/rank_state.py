"""What each rank has for itself, and what Lightning's checkpoint therefore lacks."""

from typing import Any, Protocol, runtime_checkable

from lightning.pytorch import LightningModule, Trainer
from torchmetrics import Metric

from pcm import generators
from pcm.internals.logged_means import capture_logged_means, restore_logged_means
from pcm.internals.metrics import capture_metric, copied_to_cpu, restore_metric
from pcm.training import loaders

State = dict[str, Any]


@runtime_checkable
class HasRankState(Protocol):
    """A model with accumulators of its own, such as `Chain`."""

    def rank_state(self) -> State:
        """This rank's accumulators."""

    def load_rank_state(self, state: State) -> None:
        """Set this rank's accumulators."""


def capture_rank(trainer: Trainer, model: LightningModule) -> State:
    """This rank's generators, accumulators and place in the data, copied to the CPU."""
    state = {
        "generators": generators.capture(),
        "model": model.rank_state() if isinstance(model, HasRankState) else None,
        "metrics": {name: capture_metric(metric) for name, metric in _metrics(model)},
        "logged_means": capture_logged_means(trainer),
        "callback_metrics": dict(trainer.callback_metrics),
        "loaders": loaders.capture_loaders(trainer),
    }
    return copied_to_cpu(state)


def restore_rank(trainer: Trainer, model: LightningModule, state: State | None) -> None:
    """Set what `capture_rank` captured, if anything; `loaders.go_to` finds the data's place."""
    if state is None:
        return
    if isinstance(model, HasRankState):
        model.load_rank_state(state["model"])
    for name, metric in _metrics(model):
        restore_metric(metric, state["metrics"][name])
    restore_logged_means(trainer, state["logged_means"])
    loaders.restore_loaders(trainer, state["loaders"])
    generators.restore(state["generators"])


def _metrics(model: LightningModule) -> list[tuple[str, Metric]]:
    return [(name, each) for name, each in model.named_modules() if isinstance(each, Metric)]
