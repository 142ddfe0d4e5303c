"""How many rows of each tensor a plot tree draws; a picture of 8 of 128 items needs no more."""

import inspect
from collections.abc import Iterable, Mapping

from torch import Tensor

from pcm.plots.functions import PLOT_FUNCTIONS

Rows = Mapping[str, int | None]
"""The first rows that count of each tensor, by name; None where all do."""

_LIMITS = {
    "original_vs_reconstructed_plot": "num_images",
    "images_with_conditions_plot": "disp_batch_size",
}
"""The argument that says how many first items a plot function shows, of those that have one."""


def rows_of_function(name: str, kwargs: Mapping[str, int | None]) -> int | None:
    """Of the data of a plot function, with these arguments of its config."""
    if name not in _LIMITS:
        return None
    limit = kwargs.get(_LIMITS[name])
    if limit is not None:
        return limit
    default: int = inspect.signature(PLOT_FUNCTIONS[name]).parameters[_LIMITS[name]].default
    return default


def most(several: Iterable[Rows]) -> dict[str, int | None]:
    """What serves all of them."""
    merged: dict[str, int | None] = {}
    for rows in several:
        for name, count in rows.items():
            known = merged.get(name, count)
            merged[name] = None if known is None or count is None else max(known, count)
    return merged


def first_rows(tensor: Tensor, count: int | None) -> Tensor:
    """A tensor's first rows, in memory of their own: a view is saved with all that it looks at."""
    if count is None or tensor.ndim == 0 or len(tensor) <= count:
        return tensor
    return tensor[:count].clone()
