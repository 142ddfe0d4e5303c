"""Whether an experiment that would start now gets anywhere before its allocation ends. Pure."""

import statistics
from collections.abc import Sequence

PART_S = 300.0
"""Training for so long is worth a start, and a checkpoint at its end."""

SHARE = 0.25
"""Of what an allocation had when it began, where that is less: a limit may be minutes."""


def is_worth_starting(left_s: float | None, whole_s: float | None, took: Sequence[float]) -> bool:
    """Whether there is time for a useful part of an experiment, or for all of a short one.

    Args:
        left_s: until all that run are asked for their checkpoints; None if that never comes.
        whole_s: the same when the allocation began.
        took: seconds of experiments of the same array that have finished in one go.
    """
    if left_s is None or whole_s is None:
        return True
    if took:
        return left_s >= min(PART_S, statistics.median(took))
    return left_s >= min(PART_S, SHARE * whole_s)
