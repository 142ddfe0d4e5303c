"""What torch knows of a tensor besides its values."""

import hashlib

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.nn.parameter import is_lazy


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


Mark = tuple[int, bytes]
"""What is another as soon as a tensor's values are."""

_LARGE = 1 << 20
"""Elements, of which a sum is quicker than a digest."""


def mark_of(tensor: Tensor) -> Mark:
    """A tensor's mark; torch doesn't count what is changed by way of `.data`, or of an array."""
    if is_lazy(tensor):
        return 0, b"lazy"
    version = 0 if tensor.is_inference() else tensor._version
    part = local(tensor.detach())
    if part.layout is not torch.strided or part.is_meta:
        return version, b""
    if part.numel() > _LARGE:
        wide = torch.complex128 if part.is_complex() else torch.float64
        return version, str(part.sum(dtype=wide).item()).encode()
    words = part.cpu().resolve_conj().contiguous().flatten().view(torch.uint8)
    return version, hashlib.blake2b(words.numpy().data, digest_size=16).digest()
