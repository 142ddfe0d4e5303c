"""How far a sweep is, how fast, when it may end, and what fails: a few lines for all of it."""

import time
from collections.abc import Sequence
from datetime import datetime

from launch.report.causes import cause
from launch.status.state import Line, State
from launch.text import duration, number
from pcm.run_dir.attempt_records import ProgressRecord

FAILED = (State.FAILED, State.LOST)

CAUSES = 3
"""So many are told, the most frequent ones."""


def share(line: Line) -> float:
    """How much of its training an experiment has done, from 0 to 1, as far as it says."""
    if line.state is State.DONE:
        return 1.0
    progress = line.status.progress or ProgressRecord()
    if progress.step is not None and progress.total_steps:
        return min(1.0, progress.step / progress.total_steps)
    if progress.epoch is not None and progress.max_epochs:
        return min(1.0, progress.epoch / progress.max_epochs)
    return 0.0


def bar(lines: Sequence[Line], width: int, *, plain: bool) -> str:
    """`━━━━━━━━────  62 %`: what all of them have done together.

    Args:
        plain: in characters that every terminal has.
    """
    done = sum(map(share, lines)) / len(lines) if lines else 0.0
    full = int(done * width)
    signs = "#-" if plain else "━─"
    # Nothing is said to be complete that isn't.
    percent = 100 if done == 1 else min(99, int(100 * done))
    return f"{signs[0] * full}{signs[1] * (width - full)} {percent:3} %"


def seconds_left(lines: Sequence[Line]) -> float | None:
    """Until the last has ended, if as many run at once as now; None where nobody can tell."""
    running = [line for line in lines if line.state is State.RUNNING and _eta(line) is not None]
    if not running:
        return None
    longest = max(_eta(line) or 0.0 for line in running)
    whole = [_whole_seconds(line) for line in running]
    lengths = [each for each in whole if each is not None]
    waiting = [line for line in lines if line.state in (State.PENDING, State.REQUEUED)]
    if not waiting:
        return longest
    if not lengths:
        return None
    mean = sum(lengths) / len(lengths)
    left = sum(_eta(line) or 0.0 for line in running) + mean * sum(
        1 - share(line) for line in waiting
    )
    return max(longest, left / len(running))


def pace(lines: Sequence[Line], now: float | None = None) -> str:
    """`12.5 steps/s, ends in about 1h 05m (21:40)`; empty where nothing runs.

    Args:
        now: seconds since the epoch.
    """
    rates = [
        line.status.progress.rate
        for line in lines
        if line.state.is_active and line.status.progress and line.status.progress.rate
    ]
    parts = [f"{number(sum(rates))} steps/s in all"] if rates else []
    left = seconds_left(lines)
    if left is not None:
        end = datetime.fromtimestamp((time.time() if now is None else now) + left)
        day = "" if left < 72_000 else f"{end:%a} "
        parts.append(f"ends in about {duration(left)} ({day}{end:%H:%M})")
    return ", ".join(parts)


def failures(lines: Sequence[Line]) -> list[str]:
    """`3 failed: OSError: disk full (0a1b2c3d4e ...)`, a line a cause, the most frequent first."""
    groups: dict[tuple[State, str], list[Line]] = {}
    for line in lines:
        if line.state in FAILED:
            groups.setdefault((line.state, cause(line.status.detail)), []).append(line)
    most = sorted(groups.values(), key=len, reverse=True)
    said = [_failure(group) for group in most[:CAUSES]]
    return [*said, f"{len(most) - CAUSES} more causes"] if len(most) > CAUSES else said


def _failure(group: Sequence[Line]) -> str:
    first = group[0]
    ids = first.id if len(group) == 1 else f"{first.id} ..."
    detail = f": {first.status.detail}" if first.status.detail else ""
    return f"{len(group):,} {first.state} ({ids}){detail}"


def _eta(line: Line) -> float | None:
    return None if line.status.progress is None else line.status.progress.eta


def _whole_seconds(line: Line) -> float | None:
    """What its training takes from beginning to end, at its present speed."""
    progress = line.status.progress or ProgressRecord()
    return progress.total_steps / progress.rate if progress.total_steps and progress.rate else None
