"""What torch knows of a tensor besides its values."""

from torch import Tensor, nn
from torch.distributed.tensor import DTensor


def times_written(tensor: Tensor) -> int:
    """How often it was changed in place, by way of itself or a view of it."""
    return tensor._version


def has_shards(module: nn.Module) -> bool:
    """Whether ranks share its parameters out."""
    return any(isinstance(each, DTensor) for each in module.parameters())


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a tensor that ranks share; any other as it is."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def like(shared: Tensor, part: Tensor) -> Tensor:
    """A tensor that ranks share as they do another, of which each has its part."""
    if not isinstance(shared, DTensor):
        return part
    return DTensor.from_local(
        part,
        shared.device_mesh,
        shared.placements,
        run_check=False,
        shape=shared.shape,
        stride=shared.stride(),
    )


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that ranks share, called by all of them; any other as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
