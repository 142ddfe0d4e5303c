"""Links as a user would write them."""

from typing import Any, ClassVar

import torch
from torch import nn

from pcm.chain import Batch, LinkOutput, StructuredLoss


class Offset(nn.Module):
    """Adds a learned number, and gives a loss as a plain dict would."""

    _config_structure: ClassVar = {"start": float}

    def __init__(self, cfg: dict[str, Any]) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(float(cfg["start"])))

    def shift(self, batch: Batch, data_name: str, factor: float = 1.0) -> LinkOutput:
        """Shift `data_name` by `factor` times the offset."""
        batch[data_name] = batch[data_name] + factor * self.offset
        loss = StructuredLoss(data=self.offset.square(), coef=1.0, name="size", reduced=True)
        return batch, [loss]


class NotALink:
    """Not a torch module."""
