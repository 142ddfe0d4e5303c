"""Every transform against torchvision's function on single images."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.transforms import functional as v1
from torchvision.transforms.v2 import functional as v2

from pcm.config.structures.data import IMAGE_TRANSFORMS as STRUCTURES
from pcm.data.transforms import IMAGE_TRANSFORMS

from .samples import KEYWORDS

RESIZE_TOLERANCE = 1e-5
FADE_TOLERANCE = 1e-6

DEGREES = [0, 10, -10, 15.0, -15, 30, -30, 45, -45, 60, 90, -90, 135, 180, -180, 270, 359.9, 720]
SIZES = [1, 2, 3, 7, 13, 14, 20, 24, 27, 28, 29, 31, 32, 33, 41, 55, 56, 57, 100]
SHIFTS = [[0, 0], [3, 3], [-3, -3], [3, -3], [-5, 1], [27, 0], [0, -27], [28, 28], [-40, 2]]
FRACTIONAL_SHIFTS = [[0.3, -0.7], [0.5, 0.5], [1.5, -2.5], [-0.5, 1.25]]
THRESHOLDS = [0.0, 0.1, 0.3, 0.5, 0.7, 0.99, 0.999999]


def images(count: int, side: int = 28) -> Tensor:
    return torch.rand(count, side, side, generator=torch.Generator().manual_seed(count))


def ours(name: str, batch: Tensor, arguments: list[Any]) -> Tensor:
    """The i-th image under the i-th argument."""
    transform = IMAGE_TRANSFORMS[name]
    prepared = transform.prepare(torch.tensor(arguments, dtype=torch.float64), batch.shape[-1])
    return transform.apply(batch, prepared)


def one_by_one(one: Callable[[Tensor, Any], Tensor], batch: Tensor, arguments: list[Any]) -> Tensor:
    pairs = zip(batch, arguments, strict=True)
    return torch.cat([one(image.unsqueeze(0), argument) for image, argument in pairs])


@pytest.mark.parametrize("functional", [v1, v2])
@pytest.mark.parametrize("side", [28, 27, 5])
def test_rotate_equals_torchvision_in_every_pixel(functional: ModuleType, side: int) -> None:
    batch = images(len(DEGREES), side)

    def rotate(image: Tensor, degree: float) -> Tensor:
        rotated: Tensor = functional.rotate(image, float(degree))
        return rotated

    assert torch.equal(ours("rotate", batch, DEGREES), one_by_one(rotate, batch, DEGREES))


def test_rotate_equals_torchvision_for_arbitrary_degrees() -> None:
    degrees = torch.empty(300).uniform_(-360, 360, generator=torch.Generator().manual_seed(1))
    batch = images(300)
    expected = one_by_one(v1.rotate, batch, degrees.tolist())
    different = (ours("rotate", batch, degrees.tolist()) != expected).float().mean()
    # A target pixel may lie between two source pixels to within the last bit of a float.
    assert different < 1e-5


def test_rotate_goes_counter_clockwise() -> None:
    batch = images(1)
    assert torch.equal(ours("rotate", batch, [90]), batch.rot90(1, (1, 2)))


@pytest.mark.parametrize("functional", [v1, v2])
@pytest.mark.parametrize("side", [28, 27])
def test_resize_equals_torchvision(functional: ModuleType, side: int) -> None:
    batch = images(len(SIZES), side)

    def resize(image: Tensor, size: int) -> Tensor:
        resized = functional.resize(image, [size, size])
        cropped: Tensor = functional.center_crop(resized, [side, side])
        return cropped

    difference = ours("resize", batch, SIZES) - one_by_one(resize, batch, SIZES)
    assert difference.abs().max() < RESIZE_TOLERANCE


def test_resize_to_the_same_size_changes_nothing() -> None:
    batch = images(3)
    assert torch.equal(ours("resize", batch, [28, 28, 28]), batch)


def test_resize_pads_with_black() -> None:
    resized = ours("resize", torch.ones(1, 28, 28), [7])[0]
    # 21 pixels are to be filled: 10 above and 11 below.
    expected = torch.zeros(28, 28)
    expected[10:17, 10:17] = 1
    assert torch.allclose(resized, expected, atol=RESIZE_TOLERANCE)


def test_resize_rounds_to_whole_pixels() -> None:
    batch = images(3)
    assert torch.equal(ours("resize", batch, [20.4, 31.6, 0.2]), ours("resize", batch, [20, 32, 1]))


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_resize_ignores_the_precision_of_matrix_products(precision: str) -> None:
    batch = images(5)
    exact = ours("resize", batch, [20, 24, 28, 32, 40])
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(precision)
    try:
        again = ours("resize", batch, [20, 24, 28, 32, 40])
    finally:
        torch.set_float32_matmul_precision(before)
    assert (again - exact).abs().max() < RESIZE_TOLERANCE


@pytest.mark.parametrize("functional", [v1, v2])
@pytest.mark.parametrize("shifts", [SHIFTS, FRACTIONAL_SHIFTS])
def test_translate_equals_torchvision_in_every_pixel(
    functional: ModuleType, shifts: list[list[float]]
) -> None:
    batch = images(len(shifts))

    def translate(image: Tensor, shift: list[float]) -> Tensor:
        moved: Tensor = functional.affine(image, 0.0, shift, 1.0, [0.0, 0.0])
        return moved

    assert torch.equal(ours("translate", batch, shifts), one_by_one(translate, batch, shifts))


def test_translate_goes_right_and_down() -> None:
    batch = images(1)
    moved = ours("translate", batch, [[2, 3]])[0]
    assert torch.equal(moved[3:, 2:], batch[0, :-3, :-2])
    assert moved[:3].sum() == 0
    assert moved[:, :2].sum() == 0


def test_fade_equals_the_formula_per_image() -> None:
    batch = images(len(THRESHOLDS))

    def fade(image: Tensor, threshold: float) -> Tensor:
        return (image - threshold).clamp(0, 1) / (1 - threshold)

    expected = one_by_one(fade, batch, THRESHOLDS)
    assert (ours("fade", batch, THRESHOLDS) - expected)[:-1].abs().max() < FADE_TOLERANCE
    assert expected.max() <= 1
    assert torch.isfinite(ours("fade", batch, THRESHOLDS)).all()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("fade", [0.5]), ("rotate", [33.0]), ("resize", [20]), ("translate", [[1, 2]])],
)
def test_the_input_is_left_alone(name: str, arguments: list[Any]) -> None:
    batch = images(1)
    before = batch.clone()
    ours(name, batch, arguments)
    assert torch.equal(batch, before)


@pytest.mark.parametrize(
    ("name", "argument"),
    [("fade", 0.999), ("rotate", 12.3), ("resize", 17), ("resize", 90), ("translate", [5, -9])],
)
def test_pixels_stay_between_0_and_1(name: str, argument: Any) -> None:
    result = ours(name, images(50).round(), [argument] * 50)
    assert result.min() >= 0
    assert result.max() <= 1 + FADE_TOLERANCE


@pytest.mark.parametrize("name", IMAGE_TRANSFORMS)
def test_an_empty_batch_stays_empty(name: str) -> None:
    arguments = torch.zeros((0, 2) if name == "translate" else 0, dtype=torch.float64)
    transform = IMAGE_TRANSFORMS[name]
    assert transform.apply(images(0), transform.prepare(arguments, 28)).shape == (0, 28, 28)


def test_the_config_knows_the_same_transforms_and_keywords() -> None:
    structured = {name: keyword for name, (keyword, _structure) in STRUCTURES.items()}
    implemented = {name: transform.keyword for name, transform in IMAGE_TRANSFORMS.items()}
    assert structured == implemented == KEYWORDS
