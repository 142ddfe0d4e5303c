"""Image transforms on whole batches, each sample with an argument of its own.

The results are those of torchvision's functions on single images with their default
interpolation: `rotate` and `translate` (its `affine`) take the nearest pixel and agree
exactly, `resize` is bilinear with antialiasing and agrees within 1e-5, `fade` within 1e-6.

Each transform works in two steps. `prepare` turns arguments into coefficients, which a
categorical condition does once, for all its categories; `apply` uses one row of them per
image, with plain tensor indexing and products: no loop over images or categories, and no
wait for the device.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class ImageTransform:
    """One kind of transform.

    Attributes:
        keyword: name of the argument.
        prepare: (n,) or, for pairs, (n, 2) float64 arguments, and the side of the images
            in pixels -> (n, ...) coefficients.
        apply: images (n, side, side) in [0, 1] and n rows of coefficients -> images.
    """

    keyword: str
    prepare: Callable[[Tensor, int], Tensor]
    apply: Callable[[Tensor, Tensor], Tensor]


def prepare_fade(threshold: Tensor, side: int) -> Tensor:  # noqa: ARG001 - as all `prepare`
    """Thresholds in [0, 1), to broadcast over pixels."""
    return threshold.float()[:, None, None]


def apply_fade(images: Tensor, threshold: Tensor) -> Tensor:
    """Black below the threshold, and the range above it stretched to [0, 1]."""
    return (images - threshold).clamp_(0, 1).div_(1 - threshold)


def prepare_rotate(degree: Tensor, side: int) -> Tensor:
    """Source pixels of a rotation about the centre, counter-clockwise, in degrees."""
    angle = torch.deg2rad(degree)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return _source_pixels(torch.stack([cos, -sin, zero, sin, cos, zero], dim=1), side)


def prepare_translate(translation: Tensor, side: int) -> Tensor:
    """Source pixels of a shift by (dx, dy) pixels, to the right and down."""
    dx, dy = translation.unbind(1)
    one, zero = torch.ones_like(dx), torch.zeros_like(dx)
    return _source_pixels(torch.stack([one, zero, -dx, zero, one, -dy], dim=1), side)


def _source_pixels(matrix: Tensor, side: int) -> Tensor:
    """For each target pixel the number of its nearest source pixel, from 1; 0 if outside.

    Args:
        matrix: (n, 6), rows of a 2 x 3 matrix from target to source coordinates, in pixels
            from the image's centre.

    Returns:
        (n, side * side) int32.
    """
    # In float32, step by step as torchvision does it: a target pixel may lie just between
    # two source pixels, and then the last bit decides.
    a, b, c, d, e, f = (matrix.float() / (side / 2)).t()[:, :, None, None]
    centres = torch.arange(side, dtype=torch.float32, device=matrix.device) - (side - 1) / 2
    y, x = centres[:, None], centres[None, :]
    grid = torch.stack([x * a + y * b + c, x * d + y * e + f], dim=-1)
    numbers = torch.arange(1, side * side + 1, dtype=torch.float32, device=matrix.device)
    sources = functional.grid_sample(
        numbers.view(1, 1, side, side).expand(len(matrix), -1, -1, -1),
        grid,
        mode="nearest",
        padding_mode="zeros",
        align_corners=False,
    )
    return sources.flatten(1).int()


def apply_source_pixels(images: Tensor, sources: Tensor) -> Tensor:
    """Copy each pixel from its source; black where that is outside."""
    black = images.new_zeros(len(images), 1)
    pixels = torch.cat([black, images.flatten(1)], dim=1)
    starts = torch.arange(len(images), dtype=torch.int32, device=images.device) * pixels.shape[1]
    # One flat index_select of int32 takes two thirds of the time of a gather.
    numbers = (sources + starts[:, None]).flatten()
    return pixels.flatten().index_select(0, numbers).view_as(images)


def prepare_resize(size: Tensor, side: int) -> Tensor:
    """Weights of source rows (and columns) in target rows: (n, side, side).

    Rows of the image scaled to size x size, as in bilinear interpolation with antialiasing,
    after padding or cropping about the centre. A size is rounded to whole pixels, at
    least 1.
    """
    size = size.double().round().clamp(min=1)[:, None, None]
    pixels = torch.arange(side, dtype=torch.float64, device=size.device)
    # As torchvision's center_crop: half a pixel goes down when padding, to even when cropping.
    margin = (side - size) / 2
    row = pixels[:, None] - torch.where(margin > 0, margin.floor(), margin.round())
    scale = side / size
    distance = (pixels + 0.5 - (row + 0.5) * scale).abs()
    weights = (1 - distance / scale.clamp(min=1)).clamp(min=0)
    inside = (row >= 0) & (row < size)
    return (weights / weights.sum(dim=2, keepdim=True)).where(inside, 0).float()


def apply_resize(images: Tensor, weights: Tensor) -> Tensor:
    """Scale rows, then columns."""
    # A Trainer may let float32 products run in TF32, or on CPUs with AMX in bfloat16, which is far
    # too coarse for pixels (an error of 0.0045 in place of 1e-6).
    if images.is_cuda or torch.get_float32_matmul_precision() != "highest":
        weights, pixels = weights.double(), images.double()
        return (weights @ pixels @ weights.mT).float()
    # The products take the most time of all, so images that keep their size are left out.
    kept = weights.diagonal(dim1=1, dim2=2).sum(dim=1) == weights.shape[1]
    changing = kept.logical_not().nonzero().squeeze(1)
    weights = weights.index_select(0, changing)
    scaled = weights @ images.index_select(0, changing) @ weights.mT
    return images.index_copy(0, changing, scaled)


IMAGE_TRANSFORMS: Mapping[str, ImageTransform] = {
    "fade": ImageTransform("threshold", prepare_fade, apply_fade),
    "rotate": ImageTransform("degree", prepare_rotate, apply_source_pixels),
    "resize": ImageTransform("size", prepare_resize, apply_resize),
    "translate": ImageTransform("translation", prepare_translate, apply_source_pixels),
}
