"""A clock of our own for a job's time limit, where Slurm's signal before it doesn't arrive.

Slurm sends it once, up to half a minute early, to the steps that run then. A job of few minutes
may still be running its `setup`, which has no step, and a site's `signal` may be another one.
"""

import time

from launch.slurm.controller import JobFacts, read_end

LEAD_S = 75.0
"""Before the end: later than the signal that the script asks for, see `launch.submit.script`."""

PATIENCE_S = 10.0
"""The ranks on other nodes listen for a sign of life meanwhile."""


class TimeLimit:
    """When a job is to be asked for its checkpoint at the latest.

    Args:
        facts: of the job as its attempt begins; None if Slurm didn't answer, when there is none.
    """

    def __init__(self, job_id: str, facts: JobFacts | None) -> None:
        self._job_id = job_id
        self._ends = None if facts is None else facts.ends
        left_s = 0.0 if self._ends is None else max(0.0, self._ends - time.time())
        self._lead_s = min(LEAD_S, left_s / 2)

    @property
    def left_s(self) -> float | None:
        """Seconds until it is near, as far as Slurm has said; None if it never is."""
        return None if self._ends is None else self._ends - self._lead_s - time.time()

    @property
    def is_near(self) -> bool:
        """Whether it is time; Slurm is asked once more then, since limits are extended."""
        if not self._is_due:
            return False
        self._ends = read_end(self._job_id, PATIENCE_S) or self._ends
        return self._is_due

    @property
    def _is_due(self) -> bool:
        return self._ends is not None and time.time() > self._ends - self._lead_s
