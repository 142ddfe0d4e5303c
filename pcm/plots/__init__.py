"""Pictures of what a model does, of a tree in the config, for each validation.

Training keeps the arrays (`waiting`), and a process of its own draws them (`drawing`).
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pcm.plots.callback import NeptunePlot, build_callback

__all__ = ["NeptunePlot", "build_callback"]


def __getattr__(name: str) -> Any:
    # Who only draws has no use for Lightning, nor room for it in memory.
    if name in __all__:
        from pcm.plots import callback

        return getattr(callback, name)
    raise AttributeError(name)
