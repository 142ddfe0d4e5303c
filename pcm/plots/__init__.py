"""Pictures of what a model does, drawn after each validation from a tree in the config."""

from pcm.plots.callback import NeptunePlot, build_callback

__all__ = ["NeptunePlot", "build_callback"]
