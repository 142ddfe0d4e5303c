"""Whether the allocation that has claimed an experiment still lives."""

import time
from pathlib import Path

from launch.damage import whole
from launch.machine.processes import Process
from launch.slurm.controller import JobFacts, read_job
from launch.store.claims import Claims
from launch.store.host_records import AllocationRecord, ClaimRecord
from launch.supervisor.job import Job
from pcm.run_dir.typed_json import read

BEAT_S = 10.0
"""Between two signs of life."""

FRESH_S = 120.0
"""One that gave a sign of life so lately lives; nobody need be asked."""

SILENT_S = 900.0
"""One that gave none for so long is dead where Slurm knows nothing of it, or gives no answer."""


class Holders:
    """The allocations of one array, as one of them sees the others."""

    def __init__(self, claims: Claims, own: Job) -> None:
        self._claims = claims
        self._own = own

    def is_dead(self, claim: ClaimRecord) -> bool:
        """Whether nobody has what was claimed, or ever will by this claim."""
        if claim.job == self._own.id:
            # Else it was an earlier start of this job.
            return claim.key != self._own.key
        if not claim.job:
            # Somebody was withdrawing it, which takes a moment.
            return time.time() - (claim.time or 0.0) > FRESH_S
        path = self._claims.allocation(claim.job)
        record = whole(read(AllocationRecord, path))
        if record is not None and record.key != claim.key:
            return True
        if record is not None:
            process = Process(record.host, record.pid, record.process_started)
            if process.is_local:
                return not process.is_alive
        silent_s = _age(path, claim)
        if silent_s < FRESH_S:
            return False
        facts = read_job(claim.job)
        return silent_s > SILENT_S if facts is None else not _runs(facts, claim)


def _runs(facts: JobFacts, claim: ClaimRecord) -> bool:
    """Whether the start that made the claim may still run."""
    return facts.state == "RUNNING" and claim.key.endswith(f"-{facts.restarts}")


def _age(path: Path, claim: ClaimRecord) -> float:
    """Seconds since the last sign of life."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return time.time() - (claim.time or 0.0)
