"""The Lightning logger of a run: into the run directory, and from there to the tracker."""

import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from pcm.plots.drawing_process import DrawingProcess
from pcm.plots.figures import png_of, write_picture
from pcm.plots.waiting import PlotData
from pcm.run_dir import JournalWriter, RunDir
from pcm.run_dir.journal import Row
from pcm.run_dir.summary import Summary, summarise, write_summary
from pcm.tracking.events import EventWriter
from pcm.tracking.feeding_process import FeedingProcess
from pcm.tracking.flatten import flatten
from pcm.tracking.tracker import has_tracker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GRACE = 60.0
"""Seconds that the tracker has for the rest, once training has ended by itself."""

_SHORT_GRACE = 5.0
"""The same when training was asked to stop, and somebody waits for the machine."""

_DRAWING_GRACE = 120.0
"""Seconds for drawing what is left of the pictures, once training has come to its end; with t-SNE,
UMAP and pair plots those of one validation take 93 s."""


class RunLogger(Logger):
    """Journal and events in the run directory, and processes that draw and that feed the tracker.

    Ranks other than 0 write nothing. An error of the journal stops training: what can't be
    recorded now can't be had later. An error of the tracker never does.

    Args:
        run_dir: the experiment's run directory.
        experiment: the content of its `experiment.json`.
        attempt: number of this attempt, from 1.
        resumed_from_step: batches done in the checkpoint that this attempt starts from;
            None for a start from nothing.
    """

    def __init__(
        self,
        run_dir: RunDir,
        experiment: dict[str, Any],
        attempt: int,
        resumed_from_step: int | None,
    ) -> None:
        super().__init__()
        self._run_dir = run_dir
        self._experiment = experiment
        self._attempt = attempt
        self._epoch = 0
        self._journal: JournalWriter | None = None
        self._summary = Summary()
        self._events: EventWriter | None = None
        self._drawing: DrawingProcess | None = None
        self._feeder: FeedingProcess | None = None
        if getattr(rank_zero_only, "rank", 0) == 0:
            self._journal = JournalWriter(run_dir.metrics, attempt, resumed_from_step)
            self._summary = summarise(run_dir.metrics)
            self._events = EventWriter(run_dir.events)
            self._drawing = DrawingProcess(run_dir)
            self._feeder = FeedingProcess(run_dir) if has_tracker(experiment) else None

    @property
    def name(self) -> str:
        """The experiment's name; Lightning shows it, and loggers' folders have it."""
        return str(self._experiment.get("name"))

    @property
    def version(self) -> str:
        """The experiment's id, which Lightning takes for a run's version."""
        return str(self._experiment.get("id"))

    @property
    def root_dir(self) -> str:
        """The run directory: Lightning must not make folders of its own."""
        return str(self._run_dir.path)

    @property
    def save_dir(self) -> str:
        """The run directory: Lightning must not make folders of its own."""
        return self.root_dir

    @property
    def log_dir(self) -> str:
        """The run directory: Lightning must not make folders of its own."""
        return self.root_dir

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record numbers at `step`, batches done; `epoch` among them is the row's epoch."""
        if self._journal is None:
            return
        values = {key: float(value) for key, value in metrics.items()}
        self._epoch = int(values.pop("epoch", self._epoch))
        if values:
            row = Row(self._attempt, step or 0, self._epoch, time.time(), values)
            self._journal.append_row(row)
            self._summary = self._summary.after([row], self._journal.size)

    def log_hyperparams(
        self,
        params: Mapping[str, Any] | Namespace,
        *_args: Any,
        **_kwargs: Any,
    ) -> None:
        """Record a model's own hyperparameters; the experiment's config is there already."""
        if self._events is not None:
            record = vars(params) if isinstance(params, Namespace) else dict(params)
            self._events.fields(flatten(record, "hyperparameters"))

    def log_figure(self, name: str, figure: "Figure", step: int) -> None:
        """Draw `figure` to a PNG file of `name` and `step` in the folder of plots."""
        if self._events is None:
            return
        file = write_picture(self._run_dir, name, step, png_of(figure))
        self._events.figure(name, step, file)

    def draw_later(self, plots: PlotData) -> None:
        """Have a plot tree drawn by a process of its own, which nobody waits for."""
        if self._drawing is not None:
            self._drawing.draw(plots)

    def log_checkpoint(self, name: str, step: int) -> None:
        """Record that the checkpoint `name` was written."""
        if self._events is not None:
            self._events.text("checkpoints", step, name)

    def save(self) -> None:
        """Flush all of it to the disk; called before a checkpoint is committed."""
        if self._journal is not None and self._events is not None:
            self._journal.sync()
            self._keep_summary()
            self._events.sync()
        if self._drawing is not None:
            self._drawing.sync()

    def _keep_summary(self) -> None:
        """Write what the journal comes to; without it, who wants to know reads the journal."""
        with suppress(OSError):
            write_summary(self._run_dir, self._summary)

    def finalize(self, status: str) -> None:  # noqa: ARG002  # Lightning's name
        """Close the files; have the rest drawn and let the tracker have it, for a bounded time."""
        journal, events = self._journal, self._events
        drawing, feeder = self._drawing, self._feeder
        self._journal = self._events = self._drawing = self._feeder = None
        attempt = self._run_dir.attempt(self._attempt)
        try:
            if journal is not None and events is not None:
                journal.close()
                self._keep_summary()
                events.close()
        finally:
            if drawing is not None:
                # Where another attempt may follow, that one draws.
                grace = _DRAWING_GRACE if attempt.finished.exists() else 0.0
                drawing.end(grace, attempt.stop.exists)
            if feeder is not None:
                feeder.end(_SHORT_GRACE if attempt.stop.exists() else _GRACE)
