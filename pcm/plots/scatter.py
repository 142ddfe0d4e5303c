"""Points in two dimensions, and in pairs of more."""

from collections.abc import Sequence

import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pcm.plots.style import Array, Coloring, coloring, new_figure, point_size


def colored_scatterplot(data: Array, colors: Array, *, names: Sequence[str]) -> Figure:
    """The first two columns of `data`, coloured by `colors`.

    Args:
        data: (items, dim) or (items, samples, dim), dim >= 2.
        colors: (items,) or (items, columns), of which the first column counts.
        names: what to call the two.
    """
    points, hues = _points(data, colors, column=0, name=names[1])
    if points.shape[1] < 2:
        raise ValueError(f"a scatter plot needs 2 columns, {names[0]} has {points.shape[1]}")
    figure = new_figure(7.5, 6)
    axes = figure.add_subplot()
    _scatter(axes, points[:, 0], points[:, 1], hues)
    axes.set(xlabel=_axis(names[0], 0), ylabel=_axis(names[0], 1))
    hues.explain(figure, axes)
    return figure


def pairplot(
    data: Array,
    colors: Array,
    *,
    names: Sequence[str],
    hue_dim: int = 0,
    n_data_cols: int = 4,
) -> Figure:
    """Every pair of the first columns of `data`, and the distribution of each.

    Args:
        data: (items, dim) or (items, samples, dim).
        colors: (items,) or (items, columns).
        names: what to call the two.
        hue_dim: the column of `colors` that counts.
        n_data_cols: how many columns of `data` to show; all, if it has fewer.
    """
    points, hues = _points(data, colors, column=hue_dim, name=names[1])
    count = min(n_data_cols, points.shape[1])
    side = max(2.2 * count, 5.0)
    figure = new_figure(side + 0.5, side)
    cells = {
        (row, column): figure.add_subplot(count, count, row * count + column + 1)
        for row in range(count)
        for column in range(row + 1)
    }
    for (row, column), axes in cells.items():
        if row == column:
            _distribution(axes, points[:, row], hues)
        else:
            _scatter(axes, points[:, column], points[:, row], hues, size=0.4)
        _label_cell(axes, row, column, names[0], is_last=row == count - 1)
    hues.explain(figure, list(cells.values()), inside=count > 1)
    return figure


def _label_cell(axes: Axes, row: int, column: int, name: str, *, is_last: bool) -> None:
    """Names at the grid's left and lower edges alone."""
    axes.set_xlabel(_axis(name, column) if is_last else "")
    if row == column:
        axes.set_ylabel("density")
    else:
        axes.set_ylabel(_axis(name, row) if column == 0 else "")
    axes.tick_params(labelbottom=is_last, labelleft=column in {0, row})


def _points(data: Array, colors: Array, column: int, name: str) -> tuple[Array, Coloring]:
    """Points (n, dim) and one colour value for each; samples share their item's colour."""
    points = data.reshape(-1, data.shape[-1])
    table = colors.reshape(len(colors), -1)
    if not 0 <= column < table.shape[1]:
        raise ValueError(f"{name} has {table.shape[1]} columns, and no column {column}")
    if len(points) % len(table):
        raise ValueError(f"{len(points)} points cannot share {len(table)} colours")
    values = np.repeat(table[:, column], len(points) // len(table))
    label = name if table.shape[1] == 1 else f"{name}, column {column}"
    return points, coloring(values, label)


def _scatter(axes: Axes, x: Array, y: Array, hues: Coloring, size: float = 1.0) -> None:
    area = size * point_size(len(x))
    axes.scatter(x, y, c=hues.colors, s=area, alpha=0.75, linewidths=0)


def _distribution(axes: Axes, values: Array, hues: Coloring) -> None:
    """Density of `values`, of each category by itself; nothing where there is no spread."""
    if hues.categories is None:
        sns.kdeplot(x=values, ax=axes, color="0.5", fill=True, warn_singular=False)
        return
    sns.kdeplot(
        x=values,
        hue=hues.values.astype(int),
        palette=hues.palette,
        ax=axes,
        common_norm=False,
        warn_singular=False,
        legend=False,
    )


def _axis(name: str, column: int) -> str:
    return f"{name} {column + 1}"
