"""One layout of DDP's buckets, from a process's first step on."""

import torch
from torch.nn.parallel import DistributedDataParallel


def fix_buckets(model: object) -> None:
    """Have DDP lay out its gradient buckets for good, before training's first step.

    DDP shares gradients out to buckets in one way for a process's first step, and in another
    from then on, by the order in which the first backward pass got them ready. With three
    ranks or more the order of a sum depends on the place in a bucket: the first step after
    a resume would be rounded differently. So every process begins with a backward pass
    that makes gradients ready in the usual order, the last layer's first.

    Args:
        model: as the strategy holds it; nothing is done unless DDP wraps it.
    """
    if not isinstance(model, DistributedDataParallel) or model.find_unused_parameters:
        return
    parameters = [each for each in model.parameters() if each.requires_grad]
    model.reducer.prepare_for_backward([])
    with torch.enable_grad():
        # What was added last gets its gradient first.
        torch.stack([(each * 1.0).sum().float() for each in parameters]).sum().backward()
    model.zero_grad(set_to_none=True)
