"""`summary.json`: what an experiment's journal comes to, so that nobody need parse it again.

Training writes it beside each checkpoint and at its end. Rows that came later stand in the journal
from byte `journal_bytes` on, and are few.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pcm.run_dir import typed_json
from pcm.run_dir.journal import OnDamage, Row, read_journal, rows_after
from pcm.run_dir.paths import RunDir


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric over all rows that count; steps are training batches done, over all attempts.

    Attributes:
        least, greatest: of the values that are numbers; None if none is. The first of equal ones.
    """

    last: float
    last_step: int
    least: float | None = None
    least_step: int | None = None
    greatest: float | None = None
    greatest_step: int | None = None

    def after(self, value: float, step: int) -> "MetricSummary":
        """The same with one more value."""
        least = (self.least, self.least_step)
        greatest = (self.greatest, self.greatest_step)
        if math.isfinite(value):
            least = (value, step) if least[0] is None or value < least[0] else least
            greatest = (value, step) if greatest[0] is None or value > greatest[0] else greatest
        return MetricSummary(value, step, *least, *greatest)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a journal comes to.

    Attributes:
        step: of the last row; None before the first.
        metrics: by name, in the order of their first values.
        journal_bytes: how much of the journal it is of.
    """

    step: int | None = None
    metrics: dict[str, MetricSummary] = field(default_factory=dict)
    journal_bytes: int = 0

    def after(self, rows: Iterable[Row], journal_bytes: int) -> "Summary":
        """The same with further rows, of a journal that is as long now."""
        step, metrics = self.step, dict(self.metrics)
        for row in rows:
            step = row.step
            for name, value in row.values.items():
                former = metrics.get(name, MetricSummary(value, row.step))
                metrics[name] = former.after(value, row.step)
        return Summary(step, metrics, journal_bytes)


def summarise(journal: Path, on_damage: OnDamage = lambda _: None) -> Summary:
    """The summary of a whole journal, which is parsed for it.

    Args:
        on_damage: see `read_journal`.
    """
    size = journal.stat().st_size if journal.exists() else 0
    return Summary().after(read_journal(journal, on_damage), size)


def read_summary(run_dir: RunDir) -> Summary | None:
    """An experiment's summary up to this moment; None where only its journal tells.

    That is so before the first summary, and where a resumed attempt computes again what the
    summary has of a former one.
    """
    summary = typed_json.read(Summary, run_dir.summary)
    if not isinstance(summary, Summary):
        return None
    rows = rows_after(run_dir.metrics, summary.journal_bytes)
    if rows is None:
        return None
    return summary.after(rows, summary.journal_bytes) if rows else summary


def write_summary(run_dir: RunDir, summary: Summary) -> None:
    """Write it; the journal comes first to the disk, since it is the truth."""
    typed_json.write(run_dir.summary, summary, durable=False)
