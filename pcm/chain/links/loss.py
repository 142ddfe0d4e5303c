"""Losses that compare two tensors of the batch."""

from collections.abc import Mapping
from typing import Any

import einops
from torch import Tensor, nn

from pcm.chain.choice import choose
from pcm.chain.reductions import get_reductor
from pcm.chain.types import Batch, LinkOutput, StructuredLoss, at_least_float32
from pcm.config.structures import links as structures

LOSS_FUNCTIONS: dict[str, type[nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
}


class Reconstruction(nn.Module):
    """How far a reconstruction is from its original."""

    _config_structure = structures.RECONSTRUCTION

    def __init__(self, cfg: Mapping[str, Any]) -> None:
        super().__init__()
        loss_fn, tensor_reductor = cfg["loss_fn"], cfg["tensor_reductor"]
        loss_class = choose(LOSS_FUNCTIONS, loss_fn["name"], "reconstruction loss")
        self.loss_fn = loss_class(**loss_fn["kwargs"])
        self._reductor = get_reductor(tensor_reductor["name"], tensor_reductor["kwargs"])
        self._coef = float(cfg["coef"])

    def forward(
        self, batch: Batch, data_name: str, target_name: str, reduce_pattern: str
    ) -> LinkOutput:
        """Loss `reconstr` of `data_name` against `target_name`, both of one shape.

        Args:
            reduce_pattern: einops pattern from the loss function's shape to the loss's, e.g.
                `b s 1 h w -> b s`; with nothing on the right side the loss is a reduced one.
        """
        prediction = at_least_float32(batch[data_name])
        target = at_least_float32(batch[target_name])
        data: Tensor = einops.reduce(
            self.loss_fn(prediction, target), reduce_pattern, self._reductor
        )
        reduced = _leaves_no_axis(reduce_pattern)
        loss = StructuredLoss(
            data=data.reshape(()) if reduced else data,
            coef=self._coef,
            name="reconstr",
            reduced=reduced,
            details={"prediction": prediction.detach(), "target": target.detach()},
        )
        return batch, [loss]


def _leaves_no_axis(reduce_pattern: str) -> bool:
    remaining = reduce_pattern.partition("->")[2]
    return not remaining.replace("1", "").replace("(", "").replace(")", "").strip()
