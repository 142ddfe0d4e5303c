"""Feeding the trackers of many experiments, live, from a machine that has a network.

Run where the run directories are seen and the trackers are reached, such as a login node.
A tracker that an experiment's own job feeds is left to that job.
"""

import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from pcm.run_dir import RunDir
from pcm.tracking.follow import Request, name_of, requests_of
from pcm.tracking.lane import Asked, Lane, Tell

INTERVAL = 10.0
"""Seconds between two looks at the journals."""

PATIENCE = 60.0
"""Seconds in which a tracker that takes nothing of one experiment is told to hang."""

_BETWEEN_WAITS = 0.2
"""Seconds that one lane is waited for before the others are asked about."""


class Watch:
    """Sends what is new of experiments, each tracker on a lane of its own.

    Args:
        to: names of trackers; without, those that each experiment asks for.
        tell: called with a line about what was sent, and with each new reason why not.
        patience: seconds before a tracker is told to hang.
    """

    def __init__(self, to: Sequence[str], tell: Tell, patience: float = PATIENCE) -> None:
        self._to = to
        self._tell = tell
        self._patience = patience
        self._lanes: dict[str, Lane] = {}
        self._requests: dict[Path, Sequence[Request]] = {}

    @property
    def is_all_sent(self) -> bool:
        """Whether no tracker refused, or hung, at the last look at its experiment."""
        return all(lane.is_all_sent for lane in self._lanes.values())

    @property
    def hangs(self) -> bool:
        """Whether a tracker keeps its thread, and so would keep the process."""
        return any(lane.is_busy for lane in self._lanes.values())

    def start(self, run_dirs: Sequence[RunDir]) -> None:
        """Have every tracker that isn't busy look through all experiments that have started."""
        asked: defaultdict[str, list[Asked]] = defaultdict(list)
        for run_dir in run_dirs:
            for request in self._asked_by(run_dir):
                asked[name_of(request)].append((run_dir, request))
        for name, those in asked.items():
            lane = self._lanes.setdefault(name, Lane(name, self._tell))
            lane.is_stuck(self._patience)
            lane.start(those)

    def wait(self) -> None:
        """Until every tracker is through, but for those that hang."""
        for lane in self._lanes.values():
            while not lane.wait(_BETWEEN_WAITS) and not lane.is_stuck(self._patience):
                pass

    def look(self, run_dirs: Sequence[RunDir]) -> None:
        """Once through all of them; those that have not started are passed over."""
        self.start(run_dirs)
        self.wait()

    def _asked_by(self, run_dir: RunDir) -> Sequence[Request]:
        known = self._requests.get(run_dir.path)
        if known is None:
            if not run_dir.experiment.exists():
                return []
            try:
                known = self._requests[run_dir.path] = requests_of(run_dir, self._to)
            except Exception:  # a damaged record is the trouble of those who read all of it
                return [None]
        return known


def watch(folder: Path, to: Sequence[str], tell: Tell) -> Watch:
    """Watch the run directories that standard input names until it ends.

    Args:
        folder: that the names start from.

    Returns:
        What watched, which says whether everything was sent.
    """
    names: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while line := sys.stdin.readline():
            names.append(line.strip())
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    looking = Watch(to, tell)

    def run_dirs() -> list[RunDir]:
        return [RunDir(folder / name) for name in list(names)]

    while not ended.is_set():
        looking.start(run_dirs())
        ended.wait(INTERVAL)
    # What a look in progress has passed already may have grown since.
    looking.wait()
    looking.look(run_dirs())
    return looking
