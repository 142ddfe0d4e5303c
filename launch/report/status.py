"""Experiments and where they stand: one row each."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from launch.damage import remedy
from launch.report.table import MIN_WIDTH, PIPE_WIDTH, Column, Table, least_width, table, width
from launch.status.state import Line, State
from launch.text import duration, number
from pcm.run_dir.attempt_records import ProgressRecord
from pcm.run_dir.typed_json import Damaged

EPOCH = Column("epoch", number=True)
LOSS = Column("loss", number=True)
SPEED = Column("steps/s", number=True)
LEFT = Column("left", number=True)

NAME = Column("experiment", fold=True)

COLUMNS = (
    Column("id"),
    NAME,
    Column("state"),
    EPOCH,
    LOSS,
    SPEED,
    LEFT,
)

JOB = Column("job")

DISPENSABLE = (SPEED, LEFT, EPOCH, JOB, LOSS)
"""Left out in this order where a terminal is too narrow: half a number would be a wrong one."""

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

WAITING = (State.PENDING, State.REQUEUED)


def by_interest(lines: Iterable[Line]) -> list[Line]:
    """What runs and what needs attention first; otherwise as they came."""
    rank = {state: index for index, state in enumerate(INTEREST)}
    return sorted(lines, key=lambda line: rank.get(line.state, len(rank)))


def status_table(lines: Iterable[Line], room: int = PIPE_WIDTH) -> Table:
    """A row an experiment.

    Args:
        room: columns of the terminal.
    """
    return table(*_narrowed(*_cells(list(lines)), room))


def _narrowed(
    columns: list[Column], rows: list[list[str]], room: int
) -> tuple[list[Column], list[list[str]]]:
    """Without what nobody has, and what there is no room for even where names are cut or folded."""
    for column in DISPENSABLE:
        if column in columns and width(columns, rows) > room:
            place = columns.index(column)
            if least_width(columns, rows) > room or not any(row[place] for row in rows):
                columns = columns[:place] + columns[place + 1 :]
                rows = [row[:place] + row[place + 1 :] for row in rows]
    return columns, rows


SPARKLINE = Column("")
"""After the loss, where there are any."""


NAME_ROOM = 12
"""Characters of a name that matter more than sparklines."""


def live_table(lines: Sequence[Line], sparks: Sequence[str] | None, room: int) -> Table:
    """A row and a line an experiment, as calm as it gets: nothing is folded.

    Args:
        sparks: of each one's loss; None for no such column.
        room: columns of the terminal, to which names are cut.
    """
    columns, rows = _cells(lines)
    for row, line in zip(rows, lines, strict=True):
        row[columns.index(EPOCH)] = _how_far(line)
    if sparks is not None:
        place = columns.index(LOSS) + 1
        columns.insert(place, SPARKLINE)
        for row, spark in zip(rows, sparks, strict=True):
            row.insert(place, spark)
    longest = max((len(line.name) for line in lines), default=0)
    if sparks is not None and _room_of_names(columns, rows, room) < min(NAME_ROOM, longest):
        return live_table(lines, None, room)
    columns, rows = _narrowed(columns, rows, room)
    left = max(MIN_WIDTH, _room_of_names(columns, rows, room))
    names = columns.index(NAME)
    for row in rows:
        row[names] = _cut(row[names], left)
    return table(columns, rows)


def _room_of_names(columns: Sequence[Column], rows: Sequence[Sequence[str]], room: int) -> int:
    """What the other columns leave to them."""
    names = columns.index(NAME)
    longest = max((len(row[names]) for row in rows), default=0)
    return room - (width(columns, rows) - max(longest, len(NAME.header)))


def _cut(name: str, length: int) -> str:
    """A name without its beginning, which is its sweep's: what is its own comes last."""
    return name if len(name) <= length else f"..{name[2 - length :]}"


def _cells(lines: Sequence[Line]) -> tuple[list[Column], list[list[str]]]:
    """With the jobs after the states, where there are jobs of a scheduler."""
    columns, rows = list(COLUMNS), [status_row(line) for line in lines]
    if any(line.status.job for line in lines):
        columns.insert(3, JOB)
        for line, row in zip(lines, rows, strict=True):
            row.insert(3, line.status.job or "")
    return columns, rows


def status_row(line: Line) -> list[str]:
    """The cells of one experiment; speed and time left only while it runs."""
    progress = line.status.progress or ProgressRecord()
    is_active = line.state.is_active
    return [
        line.id,
        line.name,
        line.state,
        reached(progress) or (line.status.detail if is_active else ""),
        number(progress.loss),
        number(progress.rate) if is_active else "",
        duration(progress.eta) if is_active else "",
    ]


def _how_far(line: Line) -> str:
    """Its epoch or step; of what runs, `starting` where training has not spoken yet."""
    progress = line.status.progress or ProgressRecord()
    has_spoken = bool(reached(progress)) and progress.phase != "starting"
    if line.state is State.RUNNING and not has_spoken:
        return line.status.detail or "starting"
    return reached(progress) or (line.status.detail if line.state.is_active else "")


def reached(progress: ProgressRecord) -> str:
    """Its epoch; of a script that names none `step 40`, or `step 40/200`."""
    if progress.epoch is not None or progress.step is None:
        return epoch(progress)
    total = f"/{progress.total_steps}" if progress.total_steps else ""
    return f"step {progress.step}{total}"


def epoch(progress: ProgressRecord) -> str:
    """`3/20`; without a slash where the number of epochs has no limit."""
    if progress.epoch is None:
        return ""
    return f"{progress.epoch}/{progress.max_epochs}" if progress.max_epochs else str(progress.epoch)


def remarks(lines: Iterable[Line], now: float) -> list[str]:
    """What there is to say besides: one line for each that has ended or is not heard of.

    Those that wait, or are not submitted, for the same reason share a line.

    Args:
        now: seconds since the epoch.
    """
    waiting: dict[tuple[State, str], list[Line]] = {}
    said = []
    for line in lines:
        is_new = line.state is State.NEW and line.status.detail
        if is_new or (line.state in WAITING and line.status.job is not None):
            waiting.setdefault((line.state, line.status.detail), []).append(line)
        elif line.status.detail and not (line.state.is_active and line.status.progress is None):
            said.append(f"{line.id} {line.state}: {line.status.detail}")
        if line.state.is_active and (warning := unsaved(line.status.progress, now)):
            said.append(f"{line.id} {line.state}: {warning}")
    return [_of_group(group, now) for group in waiting.values()] + said


def unsaved(progress: ProgressRecord | None, now: float) -> str:
    """`could not save for 12m 00s: No space left on device`; "" where there is no such trouble.

    Args:
        now: seconds since the epoch.
    """
    if progress is None or progress.unsaved_since is None:
        return ""
    return f"could not save for {duration(now - progress.unsaved_since)}: {progress.unsaved}"


def _of_group(group: Sequence[Line], now: float) -> str:
    """`12 pending: waits for free nodes (Resources); the first is expected to start in 5m 00s`."""
    head = f"{len(group):,} {group[0].state}: {group[0].status.detail}"
    starts = [line.status.expected_start for line in group]
    known = [start for start in starts if start is not None and start > now]
    if not known:
        return head
    who = "" if len(group) == 1 else "the first is "
    return f"{head}; {who}expected to start in {duration(min(known) - now)}"


def damage_records(damaged: Iterable[Damaged]) -> list[dict[str, Any]]:
    """What could not be read, for programs."""
    return [
        {"path": str(each.path), "line": each.line, "reason": each.reason, "try": remedy(each)}
        for each in damaged
    ]


def status_records(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [{"id": line.id, "name": line.name, **asdict(line.status)} for line in lines]
