"""The Lightning logger of a run: into the run directory, and from there to the tracker."""

import time
from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_only

from pcm.run_dir import JournalWriter, RunDir, atomic_writer
from pcm.run_dir.journal import Row
from pcm.run_dir.summary import Summary, summarise, write_summary
from pcm.tracking.events import EventWriter
from pcm.tracking.filenames import figure_file
from pcm.tracking.flatten import flatten
from pcm.tracking.process import FeedingProcess
from pcm.tracking.tracker import has_tracker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GRACE = 60.0
"""Seconds that the tracker has for the rest, once training has ended by itself."""

_SHORT_GRACE = 5.0
"""The same when training was asked to stop, and somebody waits for the machine."""

_DPI = 120


class RunLogger(Logger):
    """Journal and events in the run directory, and a process that feeds the tracker.

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
        self._feeder: FeedingProcess | None = None
        if getattr(rank_zero_only, "rank", 0) == 0:
            self._journal = JournalWriter(run_dir.metrics, attempt, resumed_from_step)
            self._summary = summarise(run_dir.metrics)
            self._events = EventWriter(run_dir.events)
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
        file = figure_file(name, step)
        path = self._run_dir.plots / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path, durable=False) as stream:
            figure.savefig(stream, format="png", dpi=_DPI)
        self._events.figure(name, step, str(file))

    def log_checkpoint(self, name: str, step: int) -> None:
        """Record that the checkpoint `name` was written."""
        if self._events is not None:
            self._events.text("checkpoints", step, name)

    def save(self) -> None:
        """Flush journal and events to the disk; called before a checkpoint is committed."""
        if self._journal is not None and self._events is not None:
            self._journal.sync()
            self._keep_summary()
            self._events.sync()

    def _keep_summary(self) -> None:
        """Write what the journal comes to; without it, who wants to know reads the journal."""
        with suppress(OSError):
            write_summary(self._run_dir, self._summary)

    def finalize(self, status: str) -> None:  # noqa: ARG002  # Lightning's name
        """Close the files; let the tracker have the rest, for a bounded time."""
        journal, events, feeder = self._journal, self._events, self._feeder
        self._journal = self._events = self._feeder = None
        try:
            if journal is not None and events is not None:
                journal.close()
                self._keep_summary()
                events.close()
        finally:
            if feeder is not None:
                stopping = self._run_dir.attempt(self._attempt).stop.exists()
                feeder.end(_SHORT_GRACE if stopping else _GRACE)
