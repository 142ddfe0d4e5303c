"""Which record each small file of an attempt holds."""

from typing import Any

from pcm.run_dir.records import (
    AttemptRecord,
    DataRecord,
    ErrorRecord,
    FailureRecord,
    FinishedRecord,
    OutcomeRecord,
    ProgressRecord,
    StoppedRecord,
    StopRecord,
    SupervisorRecord,
    UnkeptRecord,
    UsageRecord,
    VerdictRecord,
)

KINDS: dict[str, type[Any]] = {
    "attempt": AttemptRecord,
    "supervisor": SupervisorRecord,
    "progress": ProgressRecord,
    "outcome": OutcomeRecord,
    "error": ErrorRecord,
    "failed": FailureRecord,
    "verdict": VerdictRecord,
    "stop": StopRecord,
    "stopped": StoppedRecord,
    "usage": UsageRecord,
    "data": DataRecord,
    "finished": FinishedRecord,
    "unkept": UnkeptRecord,
}
"""By the file's name, without a rank."""
