"""Signs of life between the supervisors of an attempt on several nodes.

Each touches its own file now and then and looks at the next rank's: a ring, so that somebody
notices whoever falls silent, also where a whole node does.
"""

import os
from contextlib import suppress

from launch.supervisor.job import Job
from pcm.run_dir import AttemptDir

INTERVAL_S = 10.0
"""Between two signs of life, and between two looks."""

LOOKS = 5
"""After so many looks in a row without any news, a supervisor is taken for dead."""


def beat(files: AttemptDir, rank: int) -> None:
    """Give a sign of life."""
    with suppress(OSError):
        os.utime(files.supervisor(rank))


class Watch:
    """Watches the supervisor of one rank, which may be on another node.

    Clocks differ from node to node, and a file server may stand still for minutes, for all of
    them alike. So what counts is how many looks in a row have found nothing new.
    """

    def __init__(self, files: AttemptDir, rank: int) -> None:
        self.files = files
        self.rank = rank
        self._seen: int | None = None
        self._looks = 0

    @property
    def has_ended(self) -> bool:
        """Whether it is known how its rank ended."""
        return self.files.outcome(self.rank).exists()

    def is_silent(self) -> bool:
        """Look, and tell whether it has been silent for too long; it may yet have to begin."""
        sign = self._last_sign()
        self._looks = self._looks + 1 if sign == self._seen else 0
        self._seen = sign
        return sign is not None and self._looks >= LOOKS and not self.has_ended

    def _last_sign(self) -> int | None:
        try:
            # Who opens a file asks the file server; who doesn't may be told from memory.
            with self.files.supervisor(self.rank).open("rb") as stream:
                return os.fstat(stream.fileno()).st_mtime_ns
        except OSError:
            return None


def next_rank(files: AttemptDir, job: Job) -> Watch | None:
    """The one to watch; None where all are on one node, and see each other's processes."""
    if job.local_world_size == job.world_size:
        return None
    return Watch(files, (job.rank + 1) % job.world_size)
