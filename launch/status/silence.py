"""Training that makes no steps any more: how long it has been silent, if longer than it should."""

import time

from launch.text import span
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import ProgressRecord
from pcm.run_dir.typed_json import read

LEAST_S = 60.0
"""Nobody is called silent sooner."""

LONGEST_STEPS = 2.0
"""Nor before so many times the longest step are over."""


def read_silence(files: AttemptDir) -> float | None:
    """Seconds without a step of a running attempt; None where that is as it should be.

    While training is starting, validates or writes a checkpoint no step is expected; but whatever
    it does, it writes its progress every second, unless it is stopped or its node is.
    """
    record = read(ProgressRecord, files.progress)
    if not isinstance(record, ProgressRecord):
        return None
    try:
        unheard = max(0.0, time.time() - files.progress.stat().st_mtime)
    except OSError:
        return None
    silence = unheard + _without_step(record)
    patience = max(LEAST_S, LONGEST_STEPS * (record.longest_step or 0.0))
    return silence if silence > patience else None


def silence_text(seconds: float) -> str:
    """What to say of it."""
    return f"no step for {span(seconds)}"


def _without_step(record: ProgressRecord) -> float:
    """By training's own clock: that of another machine may be another."""
    if record.phase != "training" or record.stepped is None or record.time is None:
        return 0.0
    return max(0.0, record.time - record.stepped)
