"""Drawing what waits: pictures into the run directory, one after the other."""

import json
import os
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from pcm.console import tell
from pcm.errors import RefusedError
from pcm.plots.failures import failing
from pcm.plots.figures import png_of, write_picture
from pcm.plots.top_nodes import build_top_node, title_of
from pcm.plots.waiting import PlotData, load, waiting_in
from pcm.run_dir import RunDir
from pcm.run_dir.journal import end_torn_line

_INTERVAL = 1.0
"""Seconds between two looks at what waits."""


class Drawer:
    """Draws what waits in a run directory.

    What can't be written, for a full disk, goes on waiting for another drawer. What is damaged,
    or fails otherwise, is told and leaves.
    """

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._unwritten: set[Path] = set()

    def draw_all(self) -> None:
        """Once through all that wait, the earliest first."""
        for path in waiting_in(self._run_dir.undrawn):
            if path not in self._unwritten:
                self._draw(path)

    def _draw(self, path: Path) -> None:
        try:
            plots = load(path)
            for name, png in _pictures(plots):
                file = write_picture(self._run_dir, name, plots.step, png, durable=True)
                self._note(name, plots, file)
            path.unlink(missing_ok=True)
        except FileNotFoundError:
            return  # It had to make room for a newer one.
        except OSError as error:
            tell(f"warning: {path} can't be drawn for now: {error}")
            self._unwritten.add(path)
        except Exception as error:
            tell(f"warning: {path} can't be drawn: {type(error).__name__}: {error}")
            path.unlink(missing_ok=True)

    def _note(self, name: str, plots: PlotData, file: str) -> None:
        """Tell trackers, in the form of `events.jsonl`."""
        event = {"kind": "figure", "key": name, "step": plots.step, "file": file}
        end_torn_line(self._run_dir.pictures)
        with self._run_dir.pictures.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({**event, "time": plots.time}) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def draw(run_dir: RunDir) -> None:
    """Draw all that wait.

    Raises:
        RefusedError: another process draws at this moment.
    """
    try:
        with FileLock(run_dir.drawing_lock, timeout=0):
            Drawer(run_dir).draw_all()
    except Timeout:
        raise RefusedError(f"another process draws the pictures of {run_dir.path}") from None


def follow(run_dir: RunDir, ended: threading.Event) -> None:
    """Draw until training has ended, and then once more."""
    # A process of an earlier attempt may still be at its last picture.
    with FileLock(run_dir.drawing_lock):
        drawer, is_last = Drawer(run_dir), False
        while not is_last:
            is_last = ended.is_set()
            drawer.draw_all()
            if not is_last:
                ended.wait(_INTERVAL)


def _pictures(plots: PlotData) -> Iterator[tuple[str, bytes]]:
    """The pictures of a plot tree, by their full names, each drawn when it is asked for."""
    # Where a config takes a projection's seed away, pictures are still the same each time.
    random.seed(0)
    np.random.seed(0)  # the generator that scikit-learn and UMAP draw from then
    top = build_top_node(plots.top_node_name, plots.top_node_cfg, "plt_tree_top_node.top_node_cfg")
    for name, figure in top.figures(plots.data):
        full, png = f"{plots.log_path}/{name}", None
        with failing(full):
            figure.suptitle(title_of(name, plots.step))
            png = png_of(figure)
        figure.clear()
        if png is not None:
            yield full, png
