"""The plot tree of a `neptune_plot` callback: top node, nodes, plot functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pcm.config.shapes import COUNT, Number, Record, Rule, Tagged
from pcm.config.structure import ConfigStructure, Finding, Namespace


@dataclass(frozen=True)
class PlotFunction:
    """What a plot function takes.

    Attributes:
        data: names of its data arguments, in order.
        kwargs: structure of its other arguments.
    """

    data: tuple[str, ...]
    kwargs: Record = field(default_factory=Record)


_INDEX = Number(int, low=0)

PLOT_FUNCTIONS: dict[str, PlotFunction] = {
    "explained_variance_ratio_barplot": PlotFunction(("height",)),
    "features_components_corrplot": PlotFunction(("components",)),
    "colored_scatterplot": PlotFunction(("data", "colors")),
    "original_vs_reconstructed_plot": PlotFunction(
        ("original", "reconstructed"),
        Record(optional={"num_images": (None, COUNT), "num_rows": (None, COUNT)}),
    ),
    "images_with_conditions_plot": PlotFunction(
        ("images", "token_ids", "values"),
        Record(
            optional={
                "disp_batch_size": (None, COUNT),
                "disp_n_latent_samples": (None, COUNT),
            }
        ),
    ),
    "pairplot": PlotFunction(
        ("data", "colors"),
        Record(optional={"hue_dim": (None, _INDEX), "n_data_cols": (None, COUNT)}),
    ),
}
"""By name."""


def _check_data_args(cfg: Mapping[str, Any]) -> Iterator[Finding]:
    wanted, given = PLOT_FUNCTIONS[cfg["name"]].data, cfg["data_args_names"]
    if len(given) != len(wanted):
        found = ", ".join(given) or "[]"
        expected = f"{len(wanted)}: {', '.join(wanted)}"
        yield Finding(("data_args_names",), "not as many as the function takes", found, expected)


PLOT_FUNCTION: ConfigStructure = Rule(
    Tagged(
        {"name": str, "kwargs": Namespace, "data_args_names": [str], "filename_comp": str},
        tag="name",
        content="kwargs",
        choices={name: function.kwargs for name, function in PLOT_FUNCTIONS.items()},
        what="plot function",
    ),
    _check_data_args,
)

PLOT_NODES: dict[str, ConfigStructure] = {
    "plt_fn_node_list": {"plt_fn_node_list": [PLOT_FUNCTION]},
}
"""Structure of `node_cfg` by `node_name`."""

_NODE: dict[str, ConfigStructure] = {"node_name": str, "node_cfg": Namespace}
PLOT_NODE = Tagged(_NODE, "node_name", "node_cfg", PLOT_NODES, "plot node")
_PROJECTION = Tagged(
    {"kwargs": dict, "data_name": str, **_NODE}, "node_name", "node_cfg", PLOT_NODES, "plot node"
)
# A projection has a node below it, which may be another projection.
PLOT_NODES |= dict.fromkeys(
    ("perform_pca_node", "perform_umap_node", "perform_tsne_node"), _PROJECTION
)

PLOT_TOP_NODES: dict[str, ConfigStructure] = {
    "nproc_batch": {"n_batches": COUNT, "plt_tree_cfg": [PLOT_NODE]},
}
"""Structure of `top_node_cfg` by `top_node_name`."""

PLOT_TOP_NODE = Tagged(
    {"top_node_name": str, "top_node_cfg": Namespace},
    tag="top_node_name",
    content="top_node_cfg",
    choices=PLOT_TOP_NODES,
    what="plot top node",
)
