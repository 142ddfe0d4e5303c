"""Feeding one tracker of many experiments, on a thread of its own."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pcm.errors import RefusedError
from pcm.printable import printable_line
from pcm.run_dir import RunDir
from pcm.tracking.follow import BusyError, Request, sync_tracker
from pcm.tracking.outcome import Outcome, outcome_so_far
from pcm.tracking.reasons import reason_of

Tell = Callable[[str], None]

Asked = tuple[RunDir, Request]
"""An experiment, and what it asks of the lane's tracker."""

_IDS = re.compile(r"[0-9a-f]{10,}")
"""Of experiments and of runs, in which troubles that are the same differ."""

_Sizes = tuple[int, int, int, Outcome]


class Lane:
    """Sends one tracker what is new of experiments that have changed since they were last sent.

    A tracker that hangs keeps its lane busy for good, and no other one.

    Args:
        name: of the tracker.
        tell: called with a line about what was sent, and with each new reason why not.
    """

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._sent: dict[Path, _Sizes] = {}
        self._troubles: dict[Path, str] = {}
        self._told: set[str] = set()
        self._untold = 0
        self._thread: threading.Thread | None = None
        self._at: Path | None = None
        self._since = time.monotonic()
        self._told_stuck: Path | None = None

    @property
    def is_all_sent(self) -> bool:
        """Whether the tracker refused nothing at its last look at each experiment."""
        return not self._troubles and not self.is_busy

    @property
    def is_busy(self) -> bool:
        """Whether a look is still going on."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, asked: Sequence[Asked]) -> None:
        """Begin to look at all of them, unless an earlier look still goes on."""
        if not self.is_busy:
            self._since = time.monotonic()
            # Of a client that hangs nobody knows how to end it, but with the process.
            self._thread = threading.Thread(target=self._look, args=(asked,), daemon=True)
            self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait for the look's end, or a while; returns whether it has ended."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.is_busy

    def is_stuck(self, patience: float) -> bool:
        """Whether one experiment has kept it for longer than `patience` seconds; told once."""
        at = self._at
        if not self.is_busy or time.monotonic() - self._since <= patience:
            return False
        if at is not None and self._told_stuck != at:
            self._tell(f"{at.name}: {self._name}: still not sent after {patience:.0f} s")
        self._told_stuck = at
        return True

    def _look(self, asked: Sequence[Asked]) -> None:
        for run_dir, request in asked:
            sizes = _sizes(run_dir)
            if self._sent.get(run_dir.path) == sizes:
                continue
            self._at, self._since = run_dir.path, time.monotonic()
            result = _result(run_dir, request)
            self._told_stuck = None
            self._note(run_dir.path, result)
            if not isinstance(result, RefusedError):
                self._sent[run_dir.path] = sizes
        if self._untold:
            self._tell(f"{self._name}: the same of {self._untold:,} more")
            self._untold = 0

    def _note(self, path: Path, result: int | RefusedError) -> None:
        which = f"{path.name}: {self._name}"
        if isinstance(result, BusyError):
            return
        if isinstance(result, RefusedError):
            trouble = printable_line(str(result))
            if self._troubles.get(path) != trouble:
                self._tell_once(which, trouble)
            self._troubles[path] = trouble
        else:
            self._troubles.pop(path, None)
            self._told.clear()
            if result:
                self._tell(f"{which}: sent {result} points")

    def _tell_once(self, which: str, trouble: str) -> None:
        """Of a server that is down, each of a thousand experiments would say the same."""
        alike = _IDS.sub("", trouble)
        if alike in self._told:
            self._untold += 1
        else:
            self._told.add(alike)
            self._tell(f"{which}: {trouble}")


def _result(run_dir: RunDir, request: Request) -> int | RefusedError:
    try:
        return sync_tracker(run_dir, request)
    except Exception as error:
        # A record that is damaged, or a run directory that is gone, ends no others' feeding.
        return RefusedError(reason_of(error))


def _sizes(run_dir: RunDir) -> _Sizes:
    files = run_dir.metrics, run_dir.events, run_dir.pictures
    metrics, events, pictures = map(_size, files)
    return metrics, events, pictures, outcome_so_far(run_dir)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # there is none yet, or the run directory was deleted meanwhile
        return 0
