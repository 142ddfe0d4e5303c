"""What a step of a Chain needs of Lightning beside its documented ways."""

from collections.abc import Sequence

from lightning.pytorch.core.optimizer import LightningOptimizer
from torch.amp import GradScaler

CURRENT_HOOK = "_current_fx_name"
"""The module's attribute in which Lightning notes which hook it calls."""


def step_scaled(optimizers: Sequence[LightningOptimizer], scaler: GradScaler) -> None:
    """Step all optimizers with gradients of one scaled backward pass (float16).

    Lightning's own step updates the scale after each optimizer, so that the next one would
    divide its gradients by a scale that they were never multiplied with.
    """
    for optimizer in optimizers:
        optimizer._on_before_step()  # these two count the step and time it
        scaler.step(optimizer.optimizer)
        optimizer._on_after_step()
    scaler.update()
