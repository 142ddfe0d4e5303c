"""A plot that fails must not end a training: it is told, and left out."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

BEGINNING = "no plot from "
"""Of each warning."""


@contextmanager
def failing(place: str) -> Iterator[None]:
    """Turn an error of the block into a warning that names the place in the config.

    Python shows equal warnings once, so a plot that fails at every validation is told once.
    """
    try:
        yield
    except Exception as error:
        warnings.warn(f"{BEGINNING}{place}: {type(error).__name__}: {error}", stacklevel=3)
