"""`logger.experiment` as modules use that of a TensorBoard logger."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pcm.console import tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Experiment:
    """Figures, images, histograms and numbers go the run's own way; anything else is told once.

    Args:
        log_figure: draws a figure under a name.
        log_metrics: records numbers.
    """

    def __init__(
        self,
        log_figure: Callable[[str, "Figure"], None],
        log_metrics: Callable[[dict[str, float]], None],
    ) -> None:
        self._log_figure = log_figure
        self._log_metrics = log_metrics
        self._told: set[str] = set()

    def add_figure(self, tag: str, figure: "Figure", *_: Any, **__: Any) -> None:
        """Draw a figure of Matplotlib's."""
        self._log_figure(tag, figure)

    def add_image(
        self, tag: str, img_tensor: Any, *_: Any, dataformats: str = "CHW", **__: Any
    ) -> None:
        """Draw an image."""
        image = np.asarray(img_tensor)
        if dataformats == "CHW":
            image = image.transpose(1, 2, 0)
        figure = _figure()
        axes = figure.add_subplot()
        axes.axis("off")
        axes.imshow(image.squeeze(-1) if image.shape[-1] == 1 else image)
        self._log_figure(tag, figure)

    def add_histogram(self, tag: str, values: Any, *_: Any, **__: Any) -> None:
        """Draw how values are distributed."""
        figure = _figure()
        numbers = values.detach().cpu() if hasattr(values, "detach") else values
        figure.add_subplot().hist(np.asarray(numbers).ravel(), bins=50)
        self._log_figure(tag, figure)

    def add_scalar(self, tag: str, scalar_value: Any, *_: Any, **__: Any) -> None:
        """Record a number."""
        self._log_metrics({tag: float(scalar_value)})

    def add_scalars(self, main_tag: str, tag_scalar_dict: Any, *_: Any, **__: Any) -> None:
        """Record several numbers."""
        self._log_metrics({f"{main_tag}/{k}": float(v) for k, v in tag_scalar_dict.items()})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def do_nothing(*_: Any, **__: Any) -> None:
            if name not in self._told:
                tell(f"warning: logger.experiment.{name} is left out: a run has no place for it")
                self._told.add(name)

        return do_nothing


def _figure() -> "Figure":
    from matplotlib.figure import Figure

    return Figure()
