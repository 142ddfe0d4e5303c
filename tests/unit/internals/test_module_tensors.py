"""What torch keeps in a module, in an order that is the same in every process."""

import torch
from torch import nn

from pcm.internals.module_tensors import unsaved_buffers

NAMES = [f"buffer_{number}" for number in range(12)]


def test_unsaved_buffers_come_as_they_were_registered() -> None:
    """Not as in torch's set of their names: a resume finds what was built by its number."""
    module = nn.Module()
    for name in NAMES:
        module.register_buffer(name, torch.zeros(1), persistent=False)
        module.register_buffer(f"saved_{name}", torch.zeros(1))
    assert list(unsaved_buffers(module)) == NAMES
