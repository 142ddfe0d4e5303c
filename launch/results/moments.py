"""Metrics at one moment of training, for which journals are read: only when somebody asks."""

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from launch.damage import notice
from launch.results.rows import Result
from pcm.run_dir import RunDir, read_journal
from pcm.run_dir.checkpointing import Mode, read_checkpointing


def value_at(row: Result, metric: str, step: int) -> float | None:
    """The last value up to a step; None where training has not come so far."""
    if row.step is None or row.step < step:
        return None
    return _last_until(row, metric, step)


def best_value(row: Result, metric: str) -> float | None:
    """The value at the step at which the experiment's monitored metric was the best.

    Where the monitored metric was logged later than this one, the last one before counts.
    """
    wanted = read_checkpointing(RunDir(Path(row.run_dir)))
    name = next((each for each in wanted.monitored if each in row.summaries), None)
    if name is None:
        return None
    monitored, is_max = row.summaries[name], wanted.mode is Mode.MAX
    if metric == name:
        return monitored.greatest if is_max else monitored.least
    step = monitored.greatest_step if is_max else monitored.least_step
    return None if step is None else _last_until(row, metric, step)


def is_more_better(rows: Sequence[Result], column: str) -> bool:
    """Whether the greatest value of a column is the best, as far as anybody has said."""
    metric, _, part = column.rpartition(":")
    if part in ("min", "max"):
        return part == "max"
    known = (read_checkpointing(RunDir(Path(row.run_dir))) for row in rows[:1])
    return any(each.mode is Mode.MAX and (metric or part) in each.monitored for each in known)


def _last_until(row: Result, metric: str, step: int) -> float | None:
    journal = RunDir(Path(row.run_dir)).metrics
    if not journal.exists():
        return None
    values = [value for at, value in _series(journal, journal.stat().st_size, metric) if at <= step]
    return values[-1] if values and math.isfinite(values[-1]) else None


@lru_cache(maxsize=1024)
def _series(journal: Path, _size: int, metric: str) -> tuple[tuple[int, float], ...]:
    """All values of a metric; one that sorts rows asks for them several times."""
    rows = read_journal(journal, notice)
    return tuple((row.step, row.values[metric]) for row in rows if metric in row.values)
