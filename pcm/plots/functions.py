"""Plot functions by the name that configs use."""

from collections.abc import Callable

from matplotlib.figure import Figure

from pcm.plots.components import explained_variance_ratio_barplot, features_components_corrplot
from pcm.plots.images import images_with_conditions_plot, original_vs_reconstructed_plot
from pcm.plots.scatter import colored_scatterplot, pairplot

PLOT_FUNCTIONS: dict[str, Callable[..., Figure]] = {
    function.__name__: function
    for function in (
        explained_variance_ratio_barplot,
        features_components_corrplot,
        colored_scatterplot,
        original_vs_reconstructed_plot,
        images_with_conditions_plot,
        pairplot,
    )
}
"""Called with the node's data in the order of `data_args_names`, `names` and its kwargs."""
