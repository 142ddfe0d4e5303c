"""One row a point: its axes, what its metrics came to, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from launch.damage import notice
from launch.results.cost import Cost, cost_of
from launch.results.usage import Used, used_by
from launch.status.looking import lines_of
from launch.status.state import State
from launch.store import Experiment
from launch.store.summary_cache import SummaryCache
from launch.telling import Tell, say_nothing
from pcm.errors import UsageError
from pcm.garbage_collection import no_garbage_collection
from pcm.run_dir import RunDir, read_journal
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import best_first, find_checkpoint, read_manifests
from pcm.run_dir.summary import MetricSummary, Summary


@dataclass(frozen=True, slots=True)
class Result:
    """One point of a sweep.

    Attributes:
        step: training batches done when the last metric was logged; None before the first.
        metrics: the last value of each metric.
        axes: what the point overrides, by path.
        summaries: each metric's last, least and greatest value, and their steps.
        cost: None where nobody asked for it.
        used: what it took of the machine; None where nobody asked for it.
        run_dir: path of its run directory, which may not be there yet.
    """

    id: str
    name: str
    state: State
    step: int | None = None
    metrics: dict[str, float] = field(default_factory=dict)
    axes: dict[str, Any] = field(default_factory=dict)
    summaries: dict[str, MetricSummary] = field(default_factory=dict)
    sweep: str = ""
    cost: Cost | None = None
    used: Used | None = None
    run_dir: str = ""

    def checkpoint(self, name: str | None = None) -> Path:
        """Path of one of its checkpoints; what is in it is whole.

        Args:
            name: a file name, `best` or `last`; without one, the best where one can be told,
                else the newest.

        Raises:
            NotFoundError: there is no such checkpoint.
            PcmError: it is not as it was written.
        """
        run_dir = RunDir(Path(self.run_dir))
        wanted = read_checkpointing(run_dir)
        if name is None:
            manifests = read_manifests(run_dir.checkpoints)
            name = "best" if best_first(manifests, wanted) else "last"
        found = find_checkpoint(run_dir.checkpoints, name, wanted)
        assert found is not None  # with a name, what is missing is an error
        return found

    def load(self, name: str | None = None) -> Any:
        """Its model with the weights of one of its checkpoints: on the CPU, for evaluation.

        Args:
            name: as for `checkpoint`.

        Raises:
            UsageError: there is no torch here.
            NotFoundError, PcmError: as for `checkpoint`; or there is no such model.
        """
        checkpoint = self.checkpoint(name)
        try:
            loading = import_module("pcm.training.loading")
        except ModuleNotFoundError as error:
            problem = f"loading a model needs {error.name}, which is not installed here"
            raise UsageError(problem, "pip install 'pcm-launch[train]'") from error
        return loading.load_model(RunDir(Path(self.run_dir)), checkpoint)


def last_metrics(journal: Path) -> tuple[int | None, dict[str, float]]:
    """The last step that was logged, and the last value of each metric."""
    step, values = None, {}
    for row in read_journal(journal, notice):
        step = row.step
        values.update(row.values)
    return step, values


def results_of(
    experiments: Sequence[Experiment], tell: Tell = say_nothing, *, with_costs: bool = True
) -> list[Result]:
    """What each experiment came to so far.

    Args:
        tell: called with what is missing where Slurm can't be asked.
        with_costs: look at all attempts for hours; a few more reads an experiment.
    """
    with no_garbage_collection(), SummaryCache.of(experiments) as cache:
        lines = lines_of(experiments, tell)
        summaries = [cache.summary(experiment) for experiment in experiments]
        return [
            _result(experiment, line.state, summary, with_costs=with_costs)
            for experiment, line, summary in zip(experiments, lines, summaries, strict=True)
        ]


def _result(experiment: Experiment, state: State, summary: Summary, *, with_costs: bool) -> Result:
    return Result(
        id=experiment.id,
        name=experiment.name,
        state=state,
        step=summary.step,
        metrics={name: metric.last for name, metric in summary.metrics.items()},
        axes=dict(experiment.overrides),
        summaries=summary.metrics,
        sweep=experiment.sweep,
        cost=cost_of(experiment) if with_costs else None,
        used=used_by(experiment) if with_costs else None,
        run_dir=experiment.folder,
    )
