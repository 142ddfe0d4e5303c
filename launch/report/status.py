"""Experiments and where they stand: one row each."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from launch.report.table import Column, table
from launch.report.text import duration, number
from launch.status import Progress, State, Status

COLUMNS = (
    Column("id"),
    Column("experiment", fold=True),
    Column("state"),
    Column("epoch", number=True),
    Column("loss", number=True),
    Column("steps/s", number=True),
    Column("left", number=True),
)

INTEREST = (
    State.RUNNING,
    State.STOPPING,
    State.FAILED,
    State.LOST,
    State.STOPPED,
    State.REQUEUED,
    State.PENDING,
)
"""What is shown first where there is no room for all; the other states come last."""


@dataclass(frozen=True, slots=True)
class Line:
    """An experiment and where it stands."""

    id: str
    name: str
    status: Status

    @property
    def state(self) -> State:
        """Where it stands, in a word."""
        return self.status.state


def by_interest(lines: Iterable[Line]) -> list[Line]:
    """What runs and what needs attention first; otherwise as they came."""
    rank = {state: index for index, state in enumerate(INTEREST)}
    return sorted(lines, key=lambda line: rank.get(line.state, len(rank)))


def status_table(lines: Iterable[Line]) -> Table:
    """A row an experiment."""
    return table(COLUMNS, map(status_row, lines))


def status_row(line: Line) -> list[str]:
    """The cells of one experiment; speed and time left only while it runs."""
    progress = line.status.progress or Progress()
    is_active = line.state.is_active
    return [
        line.id,
        line.name,
        line.state,
        epoch(progress) or (line.status.detail if is_active else ""),
        number(progress.loss),
        number(progress.rate) if is_active else "",
        duration(progress.eta) if is_active else "",
    ]


def epoch(progress: Progress) -> str:
    """`3/20`; without a slash where the number of epochs has no limit."""
    if progress.epoch is None:
        return ""
    return f"{progress.epoch}/{progress.max_epochs}" if progress.max_epochs else str(progress.epoch)


def remarks(lines: Iterable[Line]) -> list[str]:
    """How those that have ended did so, one line an experiment."""
    return [
        f"{line.id} {line.state}: {line.status.detail}"
        for line in lines
        if line.status.detail and not line.state.is_active
    ]


def status_records(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [{"id": line.id, "name": line.name, **asdict(line.status)} for line in lines]
