"""The run's logger as training uses it: one meaning of `step`, the loss for the progress."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pcm.console import tell
from pcm.errors import PcmError
from pcm.rank.progress import Progress
from pcm.run_dir import RunDir
from pcm.run_dir.journal import LOSSES
from pcm.tracking import RunLogger
from pcm.tracking.logger_experiment import Experiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class TrainingLogger(RunLogger):
    """Logs at batches done over all attempts, whatever Lightning counts.

    Args:
        progress: knows the step, and is told the loss.

    Attributes:
        attempt: the folder of this attempt.
    """

    def __init__(
        self,
        run_dir: RunDir,
        experiment: dict[str, Any],
        attempt: int,
        resumed_from_step: int | None,
        progress: Progress,
    ) -> None:
        super().__init__(run_dir, experiment, attempt, resumed_from_step)
        self._progress = progress
        self._experiment_of_module: Experiment | None = None
        self.attempt = run_dir.attempt(attempt)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:  # noqa: ARG002 - Lightning's own count differs
        """Record numbers at the present step.

        Raises:
            PcmError: the loss is not finite.
        """
        present = self._progress.count_steps()
        # What callbacks log has no epoch of its own.
        super().log_metrics({"epoch": self._progress.epoch, **metrics}, present)
        loss = next((float(metrics[name]) for name in LOSSES if name in metrics), None)
        if loss is None:
            return
        self._progress.loss = loss
        if not math.isfinite(loss):
            raise PcmError(
                f"the training loss is {loss} at step {present}",
                "lower the learning rate, clip gradients, or look at the losses in metrics.csv",
            )

    @property
    def experiment(self) -> Experiment:
        """What modules draw and log with directly, at the present step."""
        if self._experiment_of_module is None:
            self._experiment_of_module = Experiment(self._log_figure_now, self.log_metrics)
        return self._experiment_of_module

    def _log_figure_now(self, name: str, figure: "Figure") -> None:
        self.log_figure(name, figure, self._progress.count_steps())

    def save(self) -> None:
        """Nothing: Lightning calls this after every row, and a flush to the disk is slow."""

    def sync(self) -> None:
        """Flush the journal to the disk; a checkpoint is about to rely on it."""
        super().save()

    def finalize(self, status: str) -> None:
        """Nothing yet: the tracker must not delay the record of how training ended."""

    def close(self) -> None:
        """Close the files, and let the tracker have the rest; the last thing that is done.

        What must be on disk was synced before training was called done.
        """
        try:
            super().finalize("")
        except OSError as error:
            tell(f"warning: the journal could not be closed: {error}")
