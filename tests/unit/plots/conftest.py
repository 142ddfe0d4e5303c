import pytest
import torch
from torch import Tensor

ITEMS = 60


@pytest.fixture
def batch() -> dict[str, Tensor]:
    """What a command of a small model leaves behind, for 60 items."""
    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(ITEMS) % 10
    token_ids = torch.tensor([1, 2, 0]).repeat(ITEMS, 1)
    values = torch.stack([labels.float(), torch.rand(ITEMS, generator=draw), torch.zeros(ITEMS)], 1)
    centres = torch.randn(10, 6, generator=draw) * 3
    return {
        "img": torch.rand(ITEMS, 1, 8, 8, generator=draw),
        "reconstruction": torch.rand(ITEMS, 1, 8, 8, generator=draw),
        "samples": torch.rand(ITEMS, 4, 1, 8, 8, generator=draw),
        "latent": centres[labels] + torch.randn(ITEMS, 6, generator=draw),
        "latents": centres[labels][:, None] + torch.randn(ITEMS, 2, 6, generator=draw),
        "label": labels,
        "angle": torch.rand(ITEMS, generator=draw),
        "condition_token_ids": token_ids,
        "condition_values": values,
    }
