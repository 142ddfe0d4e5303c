"""How all pictures look, and the colours of points."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

Array = NDArray[np.generic]

SEQUENTIAL = "viridis"
DIVERGING = "vlag"
ACCENT = "#0173b2"
"""The first colour of seaborn's colour-blind palette."""

_MOST_CATEGORIES = 20


@contextmanager
def house_style() -> Iterator[None]:
    """Axes and fonts of this package, for what is drawn inside the block."""
    with sns.axes_style("whitegrid", {"grid.color": "0.92"}), sns.plotting_context("notebook"):
        yield


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty figure, in inches, that pyplot knows nothing of."""
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


@dataclass(frozen=True, slots=True)
class Coloring:
    """A colour for each point, and what explains the colours.

    Attributes:
        name: what the colours stand for.
        values: one number a point.
        categories: the distinct values, if they are few whole numbers; else None.
    """

    name: str
    values: NDArray[np.float64]
    categories: tuple[int, ...] | None

    @property
    def colors(self) -> NDArray[np.float64]:
        """One row of colour channels a point."""
        if self.categories is None:
            return np.asarray(self._mappable().to_rgba(self.values))
        palette = np.array(category_palette(len(self.categories)))
        return np.asarray(palette[np.searchsorted(self.categories, self.values)])

    @property
    def palette(self) -> dict[int, tuple[float, float, float]]:
        """The colour of each category; none for a scale."""
        categories = self.categories or ()
        return dict(zip(categories, category_palette(len(categories)), strict=True))

    def explain(self, figure: Figure, axes: Axes | Sequence[Axes], *, inside: bool = False) -> None:
        """Add a colour bar beside the axes, or a legend in the figure's upper right corner.

        Args:
            inside: put the legend where the corner is empty anyway.
        """
        if self.categories is None:
            figure.colorbar(self._mappable(), ax=axes, label=self.name, shrink=0.8)
            return
        figure.legend(
            handles=[
                Line2D([], [], marker="o", linestyle="", color=color, label=str(category))
                for category, color in self.palette.items()
            ],
            title=self.name.replace(", ", ",\n"),
            loc="upper right" if inside else "outside right upper",
            frameon=False,
        )

    def _mappable(self) -> ScalarMappable:
        finite = self.values[np.isfinite(self.values)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
        return ScalarMappable(Normalize(low, high), SEQUENTIAL)


def coloring(values: Array, name: str) -> Coloring:
    """Colours by category for up to 20 distinct whole numbers, else along a scale."""
    numbers = values.astype(np.float64)
    distinct = np.unique(numbers)
    whole = bool(np.all(np.isfinite(distinct)) and np.all(distinct == np.round(distinct)))
    categories = tuple(map(int, distinct)) if whole and len(distinct) <= _MOST_CATEGORIES else None
    return Coloring(name, numbers, categories)


def category_palette(count: int) -> list[tuple[float, float, float]]:
    """Colours that colour-blind people tell apart: ten by hue, more by lightness as well."""
    return list(sns.color_palette("colorblind" if count <= 10 else SEQUENTIAL, count))


def point_size(count: int) -> float:
    """Area of a point in square points: smaller where there are many."""
    return float(np.clip(4000 / math.sqrt(max(count, 1)) / 6, 4, 36))
