"""Which record each small file of an attempt holds."""

from typing import Any

from pcm.run_dir.attempt_records import (
    AttemptRecord,
    KillRecord,
    ProgressRecord,
    StoppedRecord,
    StopRecord,
    VerdictRecord,
)
from pcm.run_dir.records import (
    DataRecord,
    ErrorRecord,
    FailureRecord,
    FinishedRecord,
    KilledCompanionsRecord,
    OutcomeRecord,
    RendezvousRecord,
    StateRecord,
    SupervisorRecord,
    UnkeptRecord,
    UsageRecord,
)

KINDS: dict[str, type[Any]] = {
    "attempt": AttemptRecord,
    "supervisor": SupervisorRecord,
    "rendezvous": RendezvousRecord,
    "state": StateRecord,
    "progress": ProgressRecord,
    "outcome": OutcomeRecord,
    "error": ErrorRecord,
    "failed": FailureRecord,
    "verdict": VerdictRecord,
    "stop": StopRecord,
    "kill": KillRecord,
    "stopped": StoppedRecord,
    "usage": UsageRecord,
    "data": DataRecord,
    "finished": FinishedRecord,
    "unkept": UnkeptRecord,
    "killed-companions": KilledCompanionsRecord,
}
"""By the file's name, without a rank."""
