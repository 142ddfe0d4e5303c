"""What others ask of an attempt, looked for by one supervisor of each node.

A file server may hold the attempt's folder, and a node may have many ranks. So one of their
supervisors looks, once a second, and tells the others; who isn't told looks for itself.
"""

import time
from pathlib import Path

from launch.supervisor.job import Job
from launch.supervisor.sharing import Sharing
from pcm.run_dir import AttemptDir
from pcm.run_dir.line import node_line_of

SELDOM_S = 10.0
"""Between two looks for what hardly comes first: who is to be killed was asked to stop before."""


class Lookout:
    """Which of the files are there that have to do with an attempt's end; none goes away again."""

    def __init__(self, files: AttemptDir, job: Job) -> None:
        # A rank that is alone writes of its failure itself.
        self._often = [files.stop] if job.world_size == 1 else [files.stop, files.failed]
        self._seldom = [files.kill, files.outcome(0)]
        self._seen: set[str] = set()
        self._all_looked: float | None = None
        self._sharing = Sharing(node_line_of(files.path)) if job.local_world_size > 1 else None

    def has(self, path: Path) -> bool:
        """Whether a file was seen."""
        return path.name in self._seen

    def note(self, path: Path) -> None:
        """A file is there, as its reader or writer knows."""
        self._seen.add(path.name)

    @property
    def is_told(self) -> bool:
        """Whether another supervisor of this node looks for this one."""
        return self._sharing is not None and self._sharing.is_told

    def hear(self) -> None:
        """Take in what the one who looks has seen; this asks for no file."""
        if self._sharing is not None:
            self._seen |= self._sharing.hear()

    def look(self) -> None:
        """Look, unless another one does, and tell the others; called once a second."""
        if self.is_told:
            return
        now = time.monotonic()
        awaited = self._often
        if self._seen or self._all_looked is None or now > self._all_looked + SELDOM_S:
            awaited, self._all_looked = self._often + self._seldom, now
        missing = (path for path in awaited if path.name not in self._seen)
        self._seen |= {path.name for path in missing if path.exists()}
        if self._sharing is not None:
            self._sharing.tell(self._seen)

    def close(self) -> None:
        """Leave it to the others."""
        if self._sharing is not None:
            self._sharing.close()
