"""What torch knows of a tensor besides its values."""

from torch import Tensor


def times_written(tensor: Tensor) -> int:
    """How often it was changed in place, by way of itself or a view of it."""
    return tensor._version
