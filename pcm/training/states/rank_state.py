"""What each rank has for itself, and what Lightning's checkpoint therefore lacks."""

from typing import Any, Protocol, runtime_checkable

from lightning.pytorch import LightningModule, Trainer
from torchmetrics import Metric

from pcm import generators
from pcm.internals.logged_means import capture_logged_means, restore_logged_means
from pcm.internals.loops import batches_fetched
from pcm.internals.metrics import capture_metric, copied_to_cpu, grow_metrics, restore_metric
from pcm.internals.module_tensors import fit_types
from pcm.training.states import loaders
from pcm.training.states.attributes import Attributes
from pcm.training.states.module_state import capture_module, restore_module
from pcm.training.states.waiting_gradients import WaitingGradients

State = dict[str, Any]

_OWN = ("attributes", "module", "made", "validation", "kept", "source")
"""Of a state, what people's own objects had in them."""


@runtime_checkable
class HasRankState(Protocol):
    """A model with accumulators of its own, such as `Chain`."""

    def rank_state(self) -> State:
        """This rank's accumulators."""

    def load_rank_state(self, state: State) -> None:
        """Set this rank's accumulators."""


def capture_rank(
    trainer: Trainer,
    model: LightningModule,
    attributes: Attributes | None,
    gradients: WaitingGradients | None,
) -> State:
    """This rank's generators, accumulators and place in the data, copied to the CPU.

    Args:
        attributes: the model's; None before training has begun.
        gradients: those that wait for an optimizer's step; None if there can't be any.
    """
    state = {
        "attributes": None if attributes is None else attributes.capture(),
        "module": capture_module(trainer, model, gradients),
        "generators": generators.capture(),
        "model": model.rank_state() if isinstance(model, HasRankState) else None,
        "metrics": {name: capture_metric(metric) for name, metric in _metrics(model)},
        "logged_means": capture_logged_means(trainer),
        "callback_metrics": dict(trainer.callback_metrics),
        "loaders": loaders.capture_loaders(trainer),
        "fetched": batches_fetched(trainer),
    }
    return copied_to_cpu(state)


def restore_rank(
    trainer: Trainer, model: LightningModule, attributes: Attributes, state: State | None
) -> None:
    """Set what `capture_rank` captured, if anything; `loaders.go_to` finds the data's place."""
    if state is None:
        return
    # Checkpoints of 0.4 and before have no types, those of 0.2 and before nothing else either.
    fit_types(model, state.get("module", {}).get("buffer_types", {}))
    if state.get("attributes") is not None:
        grow_metrics(model, state["metrics"])
        attributes.restore(state["attributes"])
    if "module" in state:
        restore_module(trainer, model, state["module"])
    if isinstance(model, HasRankState):
        model.load_rank_state(state["model"])
    for name, metric in _metrics(model):
        if name in state["metrics"]:
            restore_metric(metric, state["metrics"][name])
    restore_logged_means(trainer, state["logged_means"])
    loaders.restore_loaders(trainer, state["loaders"])
    generators.restore(state["generators"])


def without_own_values(state: State) -> State:
    """A state for another experiment, whose own values are what its config says."""
    kept = {name: value for name, value in state.items() if name not in _OWN}
    states = [{k: v for k, v in each.items() if k not in _OWN} for each in state["loaders"]]
    return {**kept, "loaders": states}


def _metrics(model: LightningModule) -> list[tuple[str, Metric]]:
    return [(name, each) for name, each in model.named_modules() if isinstance(each, Metric)]
