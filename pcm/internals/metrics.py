"""The values of torchmetrics' objects, which have no way of their own to be copied and set."""

from collections.abc import Collection
from typing import Any

import torch
from torch import nn
from torchmetrics import Metric, MetricTracker

State = dict[str, Any]


def copied_to_cpu(state: State) -> State:
    """A state with every tensor in it, however deep, as a copy on the CPU."""
    from torch.utils._pytree import tree_map_only

    copied: State = tree_map_only(torch.Tensor, lambda t: t.detach().cpu().clone(), state)
    return copied


def capture_metric(metric: Metric) -> State:
    """What a metric has accumulated on this rank."""
    return {"values": dict(metric.metric_state), "updates": metric._update_count}


def restore_metric(metric: Metric, state: State) -> None:
    """Set what `capture_metric` captured; what the metric had computed is forgotten."""
    from torch.utils._pytree import tree_map_only

    def to_device(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to(metric.device)

    for name, value in tree_map_only(torch.Tensor, to_device, state["values"]).items():
        setattr(metric, name, value)
    metric._update_count = state["updates"]
    metric._computed = None


def grow_metrics(model: nn.Module, names: Collection[str]) -> None:
    """Have every tracker as many metrics as had the one whose metrics these names are."""
    for name, tracker in model.named_modules():
        if not isinstance(tracker, MetricTracker):
            continue
        prefix = f"{name}." if name else ""
        numbers = {
            each[len(prefix) :].partition(".")[0] for each in names if each.startswith(prefix)
        }
        wanted = max((int(number) for number in numbers if number.isdigit()), default=0)
        while tracker.n_steps < wanted:
            tracker.increment()
