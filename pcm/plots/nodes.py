"""The plot tree: nodes that change the data for the nodes below, and leaves that draw.

A node gets a batch, tensors by name on the CPU, and yields figures by name. What fails in
one branch is told, with its place in the tree, and leaves the others alone.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

import torch
from matplotlib.figure import Figure
from torch import Tensor

from pcm.config.structure import ConfigStructure
from pcm.config.structures import plots as structures
from pcm.errors import PcmError
from pcm.plots.failures import failing
from pcm.plots.functions import PLOT_FUNCTIONS
from pcm.plots.projections import Projection, as_points, pca, projected_like, tsne, umap
from pcm.plots.rows import Rows, most, rows_of_function
from pcm.plots.style import Array, house_style

Batch = dict[str, Tensor]
Labels = dict[str, str]
"""What pictures call a tensor that is no longer what its name says."""


class PlotNode(Protocol):
    """A node of the plot tree."""

    @property
    def rows(self) -> Rows:
        """What this node and all below it ask for, and how much of it."""

    def figures(self, batch: Batch, labels: Labels) -> Iterator[tuple[str, Figure]]:
        """The figures of this node and of all below it, by name."""


class PlotFunctionList:
    """`plt_fn_node_list`: draws with each of a list of plot functions.

    Args:
        cfg: the node's config.
        place: the node's place in the config, for messages.
    """

    _config_structure: ClassVar[ConfigStructure] = structures.PLOT_NODES["plt_fn_node_list"]

    def __init__(self, cfg: dict[str, Any], place: str) -> None:
        self._functions = cfg["plt_fn_node_list"]
        self._place = place

    @property
    def rows(self) -> Rows:
        """The arguments of the functions."""
        return most(
            dict.fromkeys(cfg["data_args_names"], rows_of_function(cfg["name"], cfg["kwargs"]))
            for cfg in self._functions
        )

    def figures(self, batch: Batch, labels: Labels) -> Iterator[tuple[str, Figure]]:
        """One figure a function, named by its `filename_comp`."""
        for index, cfg in enumerate(self._functions):
            figure = None
            with failing(f"{self._place}.plt_fn_node_list.{index} ({cfg['name']})"):
                figure = _draw(cfg, batch, labels)
            if figure is not None:
                yield cfg["filename_comp"], figure


class ProjectionNode:
    """Replaces the tensor `data_name` by its projection, for the node below.

    Args:
        cfg: the node's config.
        place: the node's place in the config, for messages.
        name: what the projection is called in the figures' names.
        project: computes it.
    """

    _config_structure: ClassVar[ConfigStructure] = structures.PLOT_NODES["perform_pca_node"]

    def __init__(self, cfg: dict[str, Any], place: str, name: str, project: Projection) -> None:
        self._data_name = cfg["data_name"]
        self._kwargs = cfg["kwargs"]
        self._place = place
        self._name = name
        self._project = project
        self._below = build_node(cfg["node_name"], cfg["node_cfg"], f"{place}.node_cfg")

    @property
    def rows(self) -> Rows:
        """All that is projected, and what the node below asks for."""
        return most([{self._data_name: None}, self._below.rows])

    def figures(self, batch: Batch, labels: Labels) -> Iterator[tuple[str, Figure]]:
        """The figures below, named after the data and the projection too."""
        projected = None
        with failing(f"{self._place} ({self._name} of {self._data_name})"):
            projected = self._projected(batch)
        if projected is not None:
            label = f"{self._name.upper()} of {labels.get(self._data_name, self._data_name)}"
            for name, figure in self._below.figures(projected, {**labels, self._data_name: label}):
                yield f"{self._data_name}_{self._name}_{name}", figure

    def _projected(self, batch: Batch) -> Batch:
        data = take(batch, self._data_name)
        points, extras = self._project(as_points(data), **self._kwargs)
        added = {
            f"{self._data_name}_{suffix}": torch.from_numpy(array)
            for suffix, array in extras.items()
        }
        return {**batch, **added, self._data_name: projected_like(points, data)}


def build_node(name: str, cfg: dict[str, Any], place: str) -> PlotNode:
    """The node that configs call `name`.

    Raises:
        PcmError: there is no such node.
    """
    if name not in PLOT_NODES:
        raise PcmError(
            f"{place}: there is no plot node '{name}'", f"one of {', '.join(PLOT_NODES)}"
        )
    return PLOT_NODES[name](cfg, place)


def take(batch: Batch, name: str) -> Tensor:
    """The tensor `name`; a KeyError says what there is."""
    if name not in batch:
        raise KeyError(f"the batch has no '{name}', but {', '.join(sorted(batch))}")
    return batch[name]


def _draw(cfg: dict[str, Any], batch: Batch, labels: Labels) -> Figure:
    arrays: list[Array] = [_array(take(batch, name)) for name in cfg["data_args_names"]]
    names = [labels.get(name, name).replace("_", " ") for name in cfg["data_args_names"]]
    with house_style():
        return PLOT_FUNCTIONS[cfg["name"]](*arrays, names=names, **_given(cfg["kwargs"]))


def _given(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Null in a config stands for the function's default."""
    return {name: value for name, value in kwargs.items() if value is not None}


def _array(tensor: Tensor) -> Array:
    # NumPy has no bfloat16.
    array: Array = (tensor.float() if tensor.is_floating_point() else tensor).numpy()
    return array


def _projection(name: str, project: Projection) -> Callable[[dict[str, Any], str], PlotNode]:
    return lambda cfg, place: ProjectionNode(cfg, place, name, project)


PLOT_NODES: dict[str, Callable[[dict[str, Any], str], PlotNode]] = {
    "plt_fn_node_list": PlotFunctionList,
    "perform_pca_node": _projection("pca", pca),
    "perform_umap_node": _projection("umap", umap),
    "perform_tsne_node": _projection("tsne", tsne),
}
"""Called with the node's config and its place."""
