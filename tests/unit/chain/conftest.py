"""A tiny VAE on 4 x 4 images, and batches for it."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from pcm.config.document import load_document

TINY = Path(__file__).with_name("tiny.yaml")
MODELS = Path(__file__).parents[3] / "config" / "models"


@pytest.fixture
def tiny_cfg() -> dict[str, Any]:
    """The tiny model file, anew for each test to change."""
    cfg: dict[str, Any] = load_document(TINY).data
    return cfg


@pytest.fixture(params=["pcm-cvae.yaml", "vae.yaml"])
def shipped_cfg(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each model file that comes with the project."""
    cfg: dict[str, Any] = load_document(MODELS / request.param).data
    return cfg


@pytest.fixture
def digits() -> dict[str, Tensor]:
    """A batch as the conditional MNIST gives it: label and one of four conditions known."""
    batch = 6
    ids = torch.zeros(batch, 5, dtype=torch.int64)
    values = torch.zeros(batch, 5)
    ids[:, 0], values[:, 0] = 1, torch.arange(batch)
    ids[:3, 1], values[:3, 1] = 3, 4.0
    images = torch.rand(batch, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return {"img": images, "condition_token_ids": ids, "condition_values": values}
