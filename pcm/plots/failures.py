"""A plot that fails must not end a training: it is told, and left out."""

from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch.utilities import rank_zero_warn


@contextmanager
def failing(place: str) -> Iterator[None]:
    """Turn an error of the block into a warning that names the place in the config.

    Python shows equal warnings once, so a plot that fails at every validation is told once.
    """
    try:
        yield
    except Exception as error:
        rank_zero_warn(f"no plot from {place}: {type(error).__name__}: {error}")
