"""All that a page shows, as plain data."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from launch.report.page.configs import shared_and_own
from launch.report.page.failures import failure_groups
from launch.report.page.hours import Hours, hours_of
from launch.report.page.packing import packed
from launch.report.page.pictures import pictures_of
from launch.report.page.provenance import environments, provenance
from launch.report.results import shown_metrics, varying
from launch.results.columns import names_like, rounded, union
from launch.results.cost import cost_of
from launch.results.curves import Curves, CurvesReader, longest_among
from launch.results.importance import importance
from launch.results.usage import Used, used_by
from launch.status.looking import Looking
from launch.status.state import Line, State
from launch.store import Experiment
from launch.store.summary_cache import SummaryCache
from launch.telling import Tell
from launch.text import short_labels
from pcm import __version__
from pcm.errors import UsageError
from pcm.garbage_collection import no_garbage_collection
from pcm.run_dir.checkpointing import MONITORED, Mode, read_checkpointing
from pcm.run_dir.summary import MetricSummary

METRICS_WITH_CURVES = 40
"""More are in the table alone."""


@dataclass(frozen=True, slots=True)
class _Run:
    """All that was read of one experiment."""

    experiment: Experiment
    line: Line
    hours: Hours
    gpu_hours: float
    used: Used
    summary: dict[str, MetricSummary]
    curves: Curves

    def point(self, paths: Sequence[str]) -> list[Any]:
        """Its values of these axes."""
        return [self.experiment.overrides.get(path) for path in paths]


class Gathering:
    """Gathers what a page shows, as often as one wants.

    Args:
        title: of the page.
        wanted: the metric that matters most, and whether its greatest value is the best; None
            for the experiments' monitor.
        waiting: for who looks again and again: called once where no run has logged the wanted
            metric yet, for which the monitor stands in meanwhile.
    """

    def __init__(
        self,
        title: str,
        looking: Looking,
        wanted: tuple[str, bool] | None,
        waiting: Tell | None = None,
    ) -> None:
        self._title = title
        self._looking = looking
        self._wanted = wanted
        self._waiting = waiting
        self._has_told = False
        self._reader = CurvesReader()

    def gather(self, experiments: Sequence[Experiment]) -> dict[str, Any]:
        """The page's data as it is now.

        Raises:
            UsageError: the metric that matters most is none of theirs, and nobody waits for it.
        """
        # Millions of numbers, in which the collector would look for cycles again and again.
        with no_garbage_collection():
            return self._gathered(experiments)

    def _gathered(self, experiments: Sequence[Experiment]) -> dict[str, Any]:
        runs = self._read(experiments)
        lines = [run.line for run in runs]
        paths = varying([each.overrides for each in experiments])
        metrics = _in_order(union(run.summary for run in runs))
        is_over = all(line.state.is_ended for line in lines)
        main, greatest = self._main(experiments, metrics, is_over=is_over)
        shared, own = shared_and_own([each.config() for each in experiments])
        kinds, places = environments(experiments)
        return {
            "title": self._title,
            "made": datetime.now().astimezone().isoformat(timespec="seconds"),
            "version": __version__,
            "is_over": is_over,
            "axes": _axes(paths),
            "metrics": metrics,
            "main": main,
            "greatest": greatest,
            "runs": [_record(run, paths, metrics) for run in runs],
            "config": {"shared": shared, "own": own},
            "environments": {"kinds": kinds, "places": places},
            "curves": _packed(metrics, runs),
            "importance": _importances(runs, paths, metrics, greatest=greatest),
            "failures": failure_groups(experiments, lines),
            "provenance": provenance(experiments, [run.used for run in runs]),
            "pictures": pictures_of(_best_first(runs, main, greatest=greatest)),
        }

    def _read(self, experiments: Sequence[Experiment]) -> list[_Run]:
        lines = self._looking.lines(experiments)
        with SummaryCache.of(experiments) as cache:
            summaries = [cache.summary(each).metrics for each in experiments]
        longest = longest_among(len(experiments))
        curves = [self._reader.read(each.run_dir.metrics, longest) for each in experiments]
        hours, used = hours_of(experiments), map(used_by, experiments)
        gpu_hours = [cost_of(each).gpu_hours for each in experiments]
        facts = zip(experiments, lines, hours, gpu_hours, used, summaries, curves, strict=True)
        return [_Run(*each) for each in facts]

    def _main(
        self, experiments: Sequence[Experiment], metrics: Sequence[str], *, is_over: bool
    ) -> tuple[str, bool]:
        """The metric that is shown first, and whether its greatest value is the best."""
        if self._wanted is not None:
            if not metrics or self._wanted[0] in metrics:
                return self._wanted
            self._require_waiting(self._wanted[0], metrics, is_over=is_over)
        wanted = [read_checkpointing(each.run_dir) for each in experiments[:1]]
        named = [name for each in wanted for name in each.monitored if name in metrics]
        greatest = bool(named) and wanted[0].mode is Mode.MAX
        return (named or [*metrics, MONITORED[0]])[0], greatest

    def _require_waiting(self, name: str, metrics: Sequence[str], *, is_over: bool) -> None:
        """Refuse a metric that no run has logged, unless somebody waits for it."""
        if is_over or self._waiting is None:
            waits = "" if is_over else "; --watch waits for one"
            raise UsageError(f"no metric '{name}'", f"there is {names_like(name, metrics)}{waits}")
        if not self._has_told:
            self._waiting(f"note: no run has logged '{name}' yet; the page begins with another")
            self._has_told = True


def _in_order(names: Sequence[str]) -> list[str]:
    first = shown_metrics(sorted(names))
    return [*first, *(name for name in sorted(names) if name not in first)]


def _axes(paths: Sequence[str]) -> list[dict[str, Any]]:
    labels = short_labels(paths)
    return [
        {"path": path, "label": labels[path], "is_seed": path.rpartition(".")[2] == "seed"}
        for path in paths
    ]


def _for_page(value: float | None) -> float | str | None:
    """What has diverged is told from what is missing; JSON has no words for it."""
    return value if value is None or math.isfinite(value) else str(value)


def _record(run: _Run, paths: Sequence[str], metrics: Sequence[str]) -> dict[str, Any]:
    progress, clock = run.line.status.progress, run.curves.clock
    known = [run.summary.get(name) for name in metrics]
    return {
        "id": run.experiment.id,
        "name": run.experiment.name,
        "sweep": run.experiment.sweep,
        "state": str(run.line.state),
        "detail": run.line.status.detail,
        "axes": run.point(paths),
        "last": [None if each is None else _for_page(each.last) for each in known],
        "least": [None if each is None else _for_page(each.least) for each in known],
        "greatest": [None if each is None else _for_page(each.greatest) for each in known],
        "step": None if progress is None else progress.step,
        "attempts": run.line.status.attempt,
        "hours": run.hours.ran,
        "repeated": run.hours.repeated,
        "queued": run.hours.queued,
        "gpu_hours": run.gpu_hours,
        "cores_used": rounded(run.used.cores, 2),
        "memory_mb": rounded(run.used.memory_mb, 0),
        "gpu_use": rounded(run.used.gpu_percent, 1),
        "gpu_memory_mb": rounded(run.used.gpu_memory_mb, 0),
        "clock": [clock.steps, clock.epochs, [round(hour, 5) for hour in clock.hours]],
    }


def _packed(metrics: Sequence[str], runs: Sequence[_Run]) -> dict[str, Any]:
    return {
        name: packed([run.curves.metrics.get(name) for run in runs])
        for name in metrics[:METRICS_WITH_CURVES]
    }


def _importances(
    runs: Sequence[_Run], paths: Sequence[str], metrics: Sequence[str], *, greatest: bool
) -> dict[str, Any]:
    """By metric, from the last values of what is done; of all that has values if nothing is."""
    done = [run for run in runs if run.line.state is State.DONE] or runs
    found = {}
    for name in metrics[:METRICS_WITH_CURVES]:
        having = [run for run in done if name in run.summary]
        values = [run.summary[name].last for run in having]
        points = [run.point(paths) for run in having]
        record = importance(paths, points, values, greatest=greatest)
        if record is not None:
            effects = [{**asdict(each), "is_noise": each.is_noise} for each in record.effects]
            found[name] = {"method": str(record.method), "n": record.n, "effects": effects}
    return found


def _best_first(runs: Sequence[_Run], main: str, *, greatest: bool) -> list[Experiment]:
    def rank(run: _Run) -> float:
        value = run.summary[main].last if main in run.summary else math.nan
        if not math.isfinite(value):
            return math.inf
        return -value if greatest else value

    return [run.experiment for run in sorted(runs, key=rank)]
