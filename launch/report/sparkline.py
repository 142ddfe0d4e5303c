"""A few numbers as a line of small bars, and the numbers of those who are watched."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from launch.status.state import Line

BARS = "▁▂▃▄▅▆▇█"

KEPT = 64
"""Numbers that are kept of each experiment."""

Recent = Callable[[str], Sequence[float]]
"""The last losses of an experiment, by its id, as far as its files tell."""


def sparkline(values: Iterable[float], width: int) -> str:
    """At most `width` bars, the newest to the right, each the mean of as many values."""
    known = [value for value in values if math.isfinite(value)]
    count = min(width, len(known))
    if count < 2:
        return ""
    edges = [index * len(known) // count for index in range(count + 1)]
    means = [sum(known[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    wide = high - low
    if not (wide > 0 and math.isfinite(wide)):
        return BARS[0] * count
    return "".join(BARS[min(7, int((mean - low) / wide * 8))] for mean in means)


class Losses:
    """The losses of experiments that run: what files had at first, then what each look brings.

    Args:
        recent: asked once an experiment, and only of those that are shown.
    """

    def __init__(self, recent: Recent = lambda _: ()) -> None:
        self._recent = recent
        self._known: dict[str, deque[float]] = {}
        self._steps: dict[str, int | None] = {}

    def look(self, lines: Iterable[Line]) -> None:
        """Take up what these say, where it is new."""
        for line in lines:
            progress = line.status.progress
            if not line.state.is_active or progress is None or progress.loss is None:
                continue
            known = self._known.get(line.id)
            if known is None:
                known = self._known[line.id] = deque(self._recent(line.id), maxlen=KEPT)
            if self._steps.get(line.id) != progress.step:
                self._steps[line.id] = progress.step
                known.append(progress.loss)

    def sparkline(self, experiment_id: str, width: int) -> str:
        """Of one experiment; empty where there are fewer than two."""
        return sparkline(self._known.get(experiment_id, ()), width)
