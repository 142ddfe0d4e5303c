"""What a principal component analysis has found."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pcm.plots.style import ACCENT, DIVERGING, Array, new_figure

_MOST_LABELS = 40


def explained_variance_ratio_barplot(height: Array, *, names: Sequence[str]) -> Figure:
    """A bar a component, and the running total.

    Args:
        height: (components,), shares of the variance.
        names: what to call the data.
    """
    shares = height.reshape(-1).astype(np.float64)
    ranks = np.arange(1, len(shares) + 1)
    figure = new_figure(float(np.clip(0.4 * len(shares) + 2.5, 5, 14)), 4.5)
    axes = figure.add_subplot()
    axes.bar(ranks, shares, color=ACCENT, label="component", zorder=2)
    axes.plot(
        ranks, np.cumsum(shares), color="#de8f05", marker="o", label="running total", zorder=3
    )
    axes.set(xlabel="principal component", ylabel=names[0], ylim=(0, 1.05))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, loc="center right")
    return figure


def features_components_corrplot(components: Array, *, names: Sequence[str]) -> Figure:
    """How much each feature weighs in each component, with its sign.

    Args:
        components: (components, features), unit vectors as rows.
        names: what to call the data.
    """
    data = names[0].removesuffix(" components")
    matrix = components.reshape(len(components), -1).astype(np.float64)
    rows, columns = matrix.shape
    figure = new_figure(
        float(np.clip(0.35 * columns + 3, 5, 16)), float(np.clip(0.35 * rows + 1.5, 2.5, 12))
    )
    axes = figure.add_subplot()
    limit = max(float(np.abs(matrix).max()), 1e-12)
    sns.heatmap(
        matrix,
        ax=axes,
        cmap=DIVERGING,
        vmin=-limit,
        vmax=limit,
        cbar_kws={"label": "weight"},
    )
    axes.set(xlabel=f"dimension of {data}", ylabel="principal component")
    axes.set_xticks(*_cell_ticks(columns))
    axes.set_yticks(*_cell_ticks(rows), rotation=0)
    return figure


def _cell_ticks(count: int) -> tuple[list[float], list[str]]:
    """Positions and labels, from 1, of the cells of a heat map; some, if there are many."""
    shown = range(0, count, 1 + count // _MOST_LABELS)
    return [cell + 0.5 for cell in shown], [str(cell + 1) for cell in shown]
