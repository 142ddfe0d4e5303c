import inspect
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pcm.config.structures import plots as structures
from pcm.plots.components import explained_variance_ratio_barplot, features_components_corrplot
from pcm.plots.functions import PLOT_FUNCTIONS
from pcm.plots.images import (
    condition_label,
    images_with_conditions_plot,
    original_vs_reconstructed_plot,
)
from pcm.plots.scatter import colored_scatterplot, pairplot
from pcm.plots.style import coloring

DRAW = np.random.default_rng(0)
POINTS = DRAW.normal(size=(60, 5))
LABELS = np.arange(60) % 10


def rendered(figure: Figure) -> NDArray[np.uint8]:
    """The figure's pixels (height, width, 3)."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=50)
    with Image.open(stream) as image:
        return np.asarray(image.convert("RGB"))


def texts(figure: Figure) -> set[str]:
    """Everything written on the axes of a figure."""
    labels = {axes.get_xlabel() for axes in figure.axes} | {a.get_ylabel() for a in figure.axes}
    ticks = {tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()}
    return labels | ticks


def test_the_functions_take_what_the_structures_declare() -> None:
    assert set(PLOT_FUNCTIONS) == set(structures.PLOT_FUNCTIONS)
    for name, declared in structures.PLOT_FUNCTIONS.items():
        parameters = inspect.signature(PLOT_FUNCTIONS[name]).parameters.values()
        data = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        kwargs = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY} - {"names"}
        assert tuple(data) == declared.data
        assert kwargs == {*declared.kwargs.required, *declared.kwargs.optional}


def test_bars_have_the_heights_and_the_running_total() -> None:
    shares = np.array([0.5, 0.3, 0.1])
    figure = explained_variance_ratio_barplot(shares, names=["share"])
    (axes,) = figure.axes
    heights = [patch.get_extents().height for patch in axes.patches]
    assert np.array(heights) / heights[0] == pytest.approx(shares / shares[0])
    assert axes.lines[0].get_ydata() == pytest.approx([0.5, 0.8, 0.9])
    assert len(np.unique(rendered(figure))) > 10


def test_the_heat_map_shows_each_weight_symmetrically() -> None:
    matrix = np.array([[0.1, -0.9], [0.2, 0.3], [0.0, 0.4]])
    figure = features_components_corrplot(matrix, names=["latent components"])
    mesh = figure.axes[0].collections[0]
    values = mesh.get_array()
    assert values is not None
    assert np.asarray(values).reshape(3, 2) == pytest.approx(matrix)
    assert mesh.get_clim() == pytest.approx((-0.9, 0.9))
    assert "dimension of latent" in texts(figure)


@pytest.mark.parametrize("count", [1, 39, 200])
def test_heat_maps_of_any_size_stay_on_a_page(count: int) -> None:
    figure = features_components_corrplot(np.eye(count), names=["x"])
    assert max(figure.get_size_inches()) <= 16
    assert len(figure.axes[0].get_xticks()) <= 41
    rendered(figure)


def test_the_scatter_plot_has_a_point_and_a_colour_for_each_item() -> None:
    figure = colored_scatterplot(POINTS, LABELS, names=["latent", "label"])
    (points,) = figure.axes[0].collections
    assert np.asarray(points.get_offsets()) == pytest.approx(POINTS[:, :2])
    colors = np.asarray(points.get_facecolor())
    assert len(np.unique(colors, axis=0)) == 10
    assert (colors[0] == colors[10]).all()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [str(n) for n in range(10)]
    assert {"latent 1", "latent 2"} <= texts(figure)
    assert len(np.unique(rendered(figure).reshape(-1, 3), axis=0)) > 20


def test_samples_of_an_item_share_its_colour() -> None:
    samples = np.repeat(POINTS[:, None], 3, axis=1)
    figure = colored_scatterplot(samples, LABELS, names=["latent", "label"])
    colors = np.asarray(figure.axes[0].collections[0].get_facecolor())
    assert len(colors) == 180
    assert (colors[0] == colors[2]).all()
    assert (colors[0] != colors[3]).any()


def test_a_scale_gets_a_colour_bar() -> None:
    figure = colored_scatterplot(POINTS, POINTS[:, 0], names=["latent", "angle"])
    assert figure.legends == []
    assert figure.axes[1].get_ylabel() == "angle"


@pytest.mark.parametrize(
    ("values", "categories"),
    [
        (np.array([3.0, 1.0, 3.0]), (1, 3)),
        (np.array([-1, 2]), (-1, 2)),
        (np.array([True, False]), (0, 1)),
        (np.array([0.5, 1.0]), None),
        (np.array([np.nan, 1.0]), None),
        (np.arange(21), None),
        (np.arange(20), tuple(range(20))),
    ],
)
def test_few_whole_numbers_are_categories(
    values: NDArray[np.generic], categories: tuple[int, ...] | None
) -> None:
    hues = coloring(values, "x")
    assert hues.categories == categories
    assert len(hues.colors) == len(values)


def test_the_pair_plot_shows_every_pair_once_by_the_chosen_column() -> None:
    conditions = np.stack([DRAW.random(60), LABELS], axis=1)
    figure = pairplot(POINTS, conditions, names=["z", "values"], hue_dim=1, n_data_cols=3)
    assert len(figure.axes) == 6
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "values,\ncolumn 1"
    assert {"z 1", "z 2", "z 3", "density"} <= texts(figure)
    offsets = [np.asarray(axes.collections[0].get_offsets()) for axes in figure.axes[1:2]]
    assert offsets[0] == pytest.approx(POINTS[:, [0, 1]])
    assert len(np.unique(rendered(figure).reshape(-1, 3), axis=0)) > 20


@pytest.mark.parametrize("columns", [1, 2])
def test_the_pair_plot_shows_no_more_than_there_is(columns: int) -> None:
    figure = pairplot(POINTS[:, :columns], LABELS, names=["z", "label"], n_data_cols=9)
    assert len(figure.axes) == columns * (columns + 1) // 2
    rendered(figure)


def test_the_pair_plot_takes_data_without_spread() -> None:
    figure = pairplot(np.zeros((60, 2)), LABELS, names=["z", "label"])
    rendered(figure)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(ValueError, match="values has 1 columns, and no column 3"):
        pairplot(POINTS, LABELS, names=["z", "values"], hue_dim=3)
    with pytest.raises(ValueError, match="needs 2 columns, z has 1"):
        colored_scatterplot(POINTS[:, :1], LABELS, names=["z", "values"])
    with pytest.raises(ValueError, match="60 points cannot share 7 colours"):
        colored_scatterplot(POINTS, LABELS[:7], names=["z", "values"])


def test_each_original_stands_above_its_reconstruction() -> None:
    originals = np.zeros((6, 1, 4, 4))
    originals[:, 0, 1, 1] = np.linspace(0.1, 0.6, 6)
    figure = original_vs_reconstructed_plot(
        originals, originals / 2, names=["img", "rec"], num_images=5, num_rows=2
    )
    mosaic = np.asarray(figure.axes[0].images[0].get_array())
    assert mosaic.shape == (4 * 4 + 3 * 2, 3 * 4 + 2 * 2)
    assert mosaic[1, 1::6] == pytest.approx([0.1, 0.2, 0.3])
    assert mosaic[7, 1::6] == pytest.approx([0.05, 0.1, 0.15])
    assert mosaic[13, 1::6] == pytest.approx([0.4, 0.5, 1.0])  # white where there is none
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["img", "rec"] * 2


def test_the_first_sample_stands_for_the_reconstruction() -> None:
    samples = np.stack([np.full((3, 1, 4, 4), value) for value in (0.25, 0.75)], axis=1)
    figure = original_vs_reconstructed_plot(samples[:, 0], samples, names=["img", "rec"])
    values = np.unique(np.asarray(figure.axes[0].images[0].get_array()))
    assert values == pytest.approx([0.25, 1.0])


@pytest.mark.parametrize(
    ("shape", "seen"),
    [((4, 3, 8, 8), (18, 38, 3)), ((4, 64), (18, 38)), ((4, 8, 8), (18, 38))],
)
def test_images_may_be_coloured_or_flat(shape: tuple[int, ...], seen: tuple[int, ...]) -> None:
    images = DRAW.random(shape)
    figure = original_vs_reconstructed_plot(images, images, names=["a", "b"], num_rows=1)
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == seen


def test_values_beyond_white_are_scaled_into_the_picture() -> None:
    images = np.array([-1.0, 3.0]).reshape(2, 1, 1, 1) * np.ones((2, 1, 4, 4))
    figure = original_vs_reconstructed_plot(images, images, names=["a", "b"], num_rows=1)
    mosaic = np.asarray(figure.axes[0].images[0].get_array())
    assert (mosaic[0, 0], mosaic[0, 6]) == (0.0, 1.0)


def test_what_holds_no_images_is_named() -> None:
    with pytest.raises(ValueError, match=r"latent of shape \(4, 5\)"):
        original_vs_reconstructed_plot(np.ones((4, 5)), np.ones((4, 5)), names=["latent", "b"])
    with pytest.raises(ValueError, match="4 originals and 3 reconstructions"):
        original_vs_reconstructed_plot(
            np.ones((4, 1, 2, 2)), np.ones((3, 1, 2, 2)), names=["a", "b"]
        )


def test_conditions_label_their_samples() -> None:
    images = DRAW.random((5, 4, 1, 8, 8))
    tokens = np.array([[1, 3, 0], [2, 0, 0], [0, 0, 0], [1, 2, 3], [1, 2, 3]])
    values = np.array([[7, 0.3456, 0], [2, 0, 0], [0, 0, 0], [1, 2, 3], [1, 2, 3]])
    figure = images_with_conditions_plot(
        images, tokens, values, names=["x", "t", "v"], disp_batch_size=3, disp_n_latent_samples=2
    )
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["1 = 7, 3 = 0.346", "2 = 2", "none"]
    assert np.asarray(axes.images[0].get_array()).shape == (3 * 8 + 2 * 2, 2 * 8 + 2)


def test_long_labels_are_broken_and_not_cut() -> None:
    tokens, values = np.arange(10, 30)[None], np.full((1, 20), -123.456)
    assert max(map(len, condition_label(tokens[0], values[0]).split("\n"))) < 40
    images = np.ones((1, 2, 1, 8, 8))
    figure = images_with_conditions_plot(images, tokens, values, names=["x", "t", "v"])
    figure.canvas.draw()
    box = figure.axes[0].yaxis.get_tightbbox()
    assert box is not None
    assert box.x0 >= 0


def test_pyplot_holds_none_of_the_figures() -> None:
    colored_scatterplot(POINTS, LABELS, names=["a", "b"])
    features_components_corrplot(POINTS, names=["a"])
    pairplot(POINTS, LABELS, names=["a", "b"])
    assert plt.get_fignums() == []
