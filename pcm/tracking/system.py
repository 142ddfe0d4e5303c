"""What supervisors see of the machine while training runs, as series of a tracker.

They note the newest look at each rank in `usage-R.json`, and that is what a tracker gets; it never
becomes a metric of training. A point's step is in seconds since the experiment's first start, so
that no two attempts share one.
"""

import re
import time
from collections.abc import Iterator

from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.records import UsageRecord, UsageSample
from pcm.run_dir.typed_json import read
from pcm.tracking.tracker import SYSTEM, Point

_INTERVAL = 30.0
"""Seconds between two looks, as between two of the supervisors."""

MOST_RANKS = 64
"""Of how many ranks: with 1,000, a tracker would get more of these than of metrics."""

_NOTE = re.compile(r"usage-(\d+)\.json")


class SystemFigures:
    """Those of one experiment."""

    def __init__(self, run_dir: RunDir) -> None:
        self._run_dir = run_dir
        self._looked = float("-inf")

    def read(self) -> list[tuple[str, Point]]:
        """The newest of the newest attempt, by series; nothing if somebody has just asked."""
        now = time.monotonic()
        if now < self._looked + _INTERVAL:
            return []
        self._looked = now
        attempts = self._run_dir.attempts()
        began = _started(attempts[0]) if attempts else None
        return [] if began is None else list(_points(attempts[-1], began))


def _started(attempt: AttemptDir) -> float | None:
    record = read(AttemptRecord, attempt.attempt)
    return record.started if isinstance(record, AttemptRecord) else None


def _points(attempt: AttemptDir, began: float) -> Iterator[tuple[str, Point]]:
    names = (_NOTE.fullmatch(path.name) for path in attempt.path.glob("usage-*.json"))
    for rank in sorted(int(name[1]) for name in names if name)[:MOST_RANKS]:
        record = read(UsageRecord, attempt.usage(rank))
        newest = record.newest if isinstance(record, UsageRecord) else None
        if newest is not None:
            step = max(0, int(newest.time - began))
            for name, value in _figures(rank, newest).items():
                if value is not None:
                    yield f"{SYSTEM}{name}", Point(step, newest.time, value)


def _figures(rank: int, sample: UsageSample) -> dict[str, float | None]:
    return {
        f"rank_{rank}_cores": sample.cores,
        f"rank_{rank}_memory_mb": sample.memory_mb,
        f"gpu_{rank}_utilization": sample.gpu_percent,
        f"gpu_{rank}_memory_mb": sample.gpu_memory_mb,
        f"gpu_{rank}_power_w": sample.gpu_power_w,
    }
