"""The values of torchmetrics' objects, which have no way of their own to be copied and set."""

from typing import Any

import torch
from torchmetrics import Metric

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
