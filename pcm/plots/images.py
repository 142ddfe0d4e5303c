"""Pictures of pictures: each plot is one mosaic, with a label for every row."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pcm.plots.style import Array, new_figure

_GAP = 2
"""Pixels between two images of a mosaic."""

_INCHES = 0.75
"""Height of one image on the page."""

_LETTER = 0.085
"""Width of a small letter, in inches."""


def original_vs_reconstructed_plot(
    original: Array,
    reconstructed: Array,
    *,
    names: Sequence[str],
    num_images: int = 16,
    num_rows: int = 2,
) -> Figure:
    """Originals, each with its reconstruction below.

    Args:
        original: (items, [channels,] height, width).
        reconstructed: the same, or (items, samples, ...), of which the first sample is shown.
        names: what to call the two; labels of the rows.
        num_images: how many of them.
        num_rows: rows to spread them over.
    """
    above, below = _as_images(original, names[0]), _as_images(reconstructed, names[1])
    if len(above) != len(below):
        raise ValueError(f"{len(above)} originals and {len(below)} reconstructions")
    count = min(num_images, len(above))
    per_row = math.ceil(count / num_rows)
    rows: list[NDArray[np.float64]] = []
    for start in range(0, count, per_row):
        chosen = slice(start, min(start + per_row, count))
        rows += [above[chosen], below[chosen]]
    labels = [names[index % 2] for index in range(len(rows))]
    return _mosaic_figure(rows, labels)


def images_with_conditions_plot(
    images: Array,
    token_ids: Array,
    values: Array,
    *,
    names: Sequence[str],
    disp_batch_size: int = 8,
    disp_n_latent_samples: int = 8,
) -> Figure:
    """A row of samples an item, labelled with the item's known conditions.

    Args:
        images: (items, samples, channels, height, width), or without samples.
        token_ids: (items, conditions), 0 for padding.
        values: (items, conditions).
        names: what to call the three.
        disp_batch_size: how many items.
        disp_n_latent_samples: how many samples of each.
    """
    sampled = images if images.ndim == 5 else images[:, None]
    shown = sampled[:disp_batch_size, :disp_n_latent_samples]
    rows = [_as_images(row, names[0]) for row in shown]
    labels = [
        condition_label(tokens, numbers)
        for tokens, numbers in zip(token_ids[: len(rows)], values[: len(rows)], strict=True)
    ]
    figure = _mosaic_figure(rows, labels)
    figure.axes[0].set_title("known conditions, token = value:", loc="left", fontsize="small")
    return figure


def condition_label(tokens: Array, numbers: Array) -> str:
    """`token = value` of each known condition, three a line."""
    known = [
        f"{token} = {number:.3g}" for token, number in zip(tokens, numbers, strict=True) if token
    ]
    lines = [", ".join(known[start : start + 3]) for start in range(0, len(known), 3)]
    return "\n".join(lines) or "none"


def _mosaic_figure(rows: Sequence[NDArray[np.float64]], labels: Sequence[str]) -> Figure:
    mosaic = _mosaic(rows)
    height = rows[0].shape[1]
    inches = _INCHES / height
    left = 0.2 + _LETTER * max(len(line) for label in labels for line in label.split("\n"))
    figure = _figure_around(mosaic.shape[1] * inches, mosaic.shape[0] * inches, left)
    axes = figure.axes[0]
    axes.imshow(mosaic, cmap="gray", interpolation="nearest", vmin=0, vmax=1)
    centres = [index * (height + _GAP) + height / 2 for index in range(len(rows))]
    axes.set_yticks(centres, labels, fontsize="small")
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _figure_around(width: float, height: float, left: float) -> Figure:
    """A figure with axes of exactly this size in inches, and room for labels and titles.

    No automatic layout: it misjudges axes whose aspect is fixed.
    """
    total_width, total_height = max(left + width + 0.2, 5.0), height + 0.85
    figure = new_figure(total_width, total_height, layout=None)
    figure.add_axes(
        (
            left / total_width,
            0.15 / total_height,
            width / total_width,
            height / total_height,
        )
    )
    return figure


def _mosaic(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Images (h, w, [3]) of all rows in one, white between them; values in [0, 1]."""
    height, width, *channels = rows[0].shape[1:]
    columns = max(map(len, rows))
    shape = (len(rows) * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, *channels)
    mosaic = np.ones(shape)
    low, high = _range(rows)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top, left = row * (height + _GAP), column * (width + _GAP)
            mosaic[top : top + height, left : left + width] = (image - low) / (high - low)
    return mosaic.clip(0, 1)


def _range(rows: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """[0, 1], or the data's own range where it goes beyond."""
    low = min(0.0, *(float(np.nanmin(row)) for row in rows))
    high = max(1.0, *(float(np.nanmax(row)) for row in rows))
    return low, high


def _as_images(data: Array, name: str) -> NDArray[np.float64]:
    """(items, height, width), or (items, height, width, 3) for colour."""
    images = data.astype(np.float64)
    if images.ndim == 5:
        images = images[:, 0]
    if images.ndim == 2 and math.isqrt(images.shape[1]) ** 2 == images.shape[1]:
        side = math.isqrt(images.shape[1])
        images = images.reshape(-1, side, side)
    if images.ndim == 4:
        images = images.transpose(0, 2, 3, 1) if images.shape[1] == 3 else images[:, 0]
    if images.ndim not in {3, 4}:
        raise ValueError(f"{name} of shape {data.shape} does not hold images")
    return images
