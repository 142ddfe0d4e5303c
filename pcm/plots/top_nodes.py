"""The top of a plot tree: what data the tree gets."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import torch
from matplotlib.figure import Figure

from pcm.config.structure import ConfigStructure
from pcm.config.structures import plots as structures
from pcm.errors import PcmError
from pcm.plots.nodes import Batch, build_node
from pcm.plots.rows import Rows, first_rows, most


class NprocBatch:
    """`nproc_batch`: joins a command's results on the first batches of a validation.

    Args:
        cfg: the node's config.
        place: the node's place in the config, for messages.

    Attributes:
        n_batches: how many batches it wants.
    """

    _config_structure: ClassVar[ConfigStructure] = structures.PLOT_TOP_NODES["nproc_batch"]

    def __init__(self, cfg: dict[str, Any], place: str) -> None:
        self.n_batches: int = cfg["n_batches"]
        self._nodes = [
            build_node(
                node["node_name"], node["node_cfg"], f"{place}.plt_tree_cfg.{index}.node_cfg"
            )
            for index, node in enumerate(cfg["plt_tree_cfg"])
        ]

    def data(self, run: Callable[[Batch], Batch], batches: Sequence[Batch]) -> Batch:
        """What the nodes draw of the results of `run` for all batches, joined, on the CPU."""
        items = [len(next(iter(batch.values()))) for batch in batches]
        rows = most(node.rows for node in self._nodes)
        joined = join([_needed(run(batch), rows) for batch in batches], items)
        return {name: first_rows(tensor, rows.get(name)) for name, tensor in joined.items()}

    def figures(self, batch: Batch) -> Iterator[tuple[str, Figure]]:
        """The figures of all nodes; equal names are told apart by a number."""
        seen: Counter[str] = Counter()
        for node in self._nodes:
            for name, figure in node.figures(batch, labels={}):
                seen[name] += 1
                yield name if seen[name] == 1 else f"{name}_{seen[name]}", figure


def _needed(result: Batch, rows: Rows) -> Batch:
    """Of the rest, which may be large, messages have the names."""
    return {name: t if name in rows else t.new_empty(0) for name, t in result.items()}


def title_of(name: str, step: int) -> str:
    """What stands above the figure `name` of one validation."""
    return f"{name.replace('_', ' ')}, step {step}"


def join(results: Sequence[Batch], items: Sequence[int]) -> Batch:
    """Concatenate the results of several batches, on the CPU.

    A tensor that isn't one row an item, such as the prior's components, is the same for
    all batches; the first one's is taken.

    Args:
        items: how many each batch has.
    """
    joined: Batch = {}
    for name in results[0]:
        tensors = [result[name].detach().cpu() for result in results]
        sizes = [tensor.shape[0] if tensor.ndim else None for tensor in tensors]
        joined[name] = torch.cat(tensors) if sizes == list(items) else tensors[0].clone()
    return joined


def build_top_node(name: str, cfg: dict[str, Any], place: str) -> NprocBatch:
    """The top node that configs call `name`.

    Raises:
        PcmError: there is no such node.
    """
    if name not in TOP_NODES:
        raise PcmError(f"{place}: there is no top node '{name}'", f"one of {', '.join(TOP_NODES)}")
    return TOP_NODES[name](cfg, place)


TOP_NODES = {"nproc_batch": NprocBatch}
"""By the name that configs use."""
