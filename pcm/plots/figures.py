"""Pictures in the folder of plots, of figures of Matplotlib's."""

import io
from typing import TYPE_CHECKING

from pcm.plots.filenames import figure_file
from pcm.run_dir import RunDir, atomic_writer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 120


def png_of(figure: "Figure") -> bytes:
    """The figure, drawn."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=_DPI)
    return stream.getvalue()


def write_picture(
    run_dir: RunDir, name: str, step: int, png: bytes, *, durable: bool = False
) -> str:
    """Write a picture to the file of its name and step; the file's path in the folder of plots."""
    file = figure_file(name, step)
    path = run_dir.plots / file
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path, durable=durable) as stream:
        stream.write(png)
    return str(file)
