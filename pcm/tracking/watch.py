"""Feeding the trackers of many experiments, live, from a machine that has a network.

Run where the run directories are seen and the trackers are reached, such as a login node.
A tracker that an experiment's own job feeds is left to that job.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pcm.errors import RefusedError
from pcm.printable import printable_line
from pcm.run_dir import RunDir
from pcm.tracking.follow import BusyError, sync_trackers
from pcm.tracking.outcome import Outcome, outcome_so_far

INTERVAL = 10.0
"""Seconds between two looks at the journals."""

Tell = Callable[[str], None]

_Sizes = tuple[int, int, int, Outcome]


class Watch:
    """Sends what is new of experiments that have changed since they were last sent.

    Args:
        to: names of trackers; without, those that each experiment asks for.
        tell: called with a line about what was sent, and with each new reason why not.
    """

    def __init__(self, to: Sequence[str], tell: Tell) -> None:
        self._to = to
        self._tell = tell
        self._sent: dict[Path, _Sizes] = {}
        self._troubles: dict[tuple[Path, str], str] = {}

    @property
    def is_all_sent(self) -> bool:
        """Whether no tracker refused at the last look at its experiment."""
        return not self._troubles

    def look(self, run_dirs: Sequence[RunDir]) -> None:
        """Once through all of them; those that have not started are passed over."""
        for run_dir in run_dirs:
            if run_dir.experiment.exists() and self._sent.get(run_dir.path) != _sizes(run_dir):
                self._send(run_dir)

    def _send(self, run_dir: RunDir) -> None:
        sizes = _sizes(run_dir)
        try:
            results = sync_trackers(run_dir, self._to)
        except BusyError:
            return
        for name, result in results.items():
            self._note(run_dir, name, result)
        if not any(isinstance(result, RefusedError) for result in results.values()):
            self._sent[run_dir.path] = sizes

    def _note(self, run_dir: RunDir, name: str, result: int | RefusedError) -> None:
        key, which = (run_dir.path, name), f"{run_dir.path.name}: {name}"
        if isinstance(result, BusyError):
            return
        if isinstance(result, RefusedError):
            trouble = printable_line(str(result))
            if self._troubles.get(key) != trouble:
                self._tell(f"{which}: {trouble}")
            self._troubles[key] = trouble
        else:
            self._troubles.pop(key, None)
            if result:
                self._tell(f"{which}: sent {result} points")


def watch(folder: Path, to: Sequence[str], tell: Tell) -> bool:
    """Watch the run directories that standard input names until it ends.

    Args:
        folder: that the names start from.

    Returns:
        Whether everything was sent.
    """
    names: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while line := sys.stdin.readline():
            names.append(line.strip())
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    looking, finished = Watch(to, tell), False
    while not finished:
        finished = ended.is_set()
        looking.look([RunDir(folder / name) for name in list(names)])
        if not finished:
            ended.wait(INTERVAL)
    return looking.is_all_sent


def _sizes(run_dir: RunDir) -> _Sizes:
    files = run_dir.metrics, run_dir.events, run_dir.pictures
    metrics, events, pictures = map(_size, files)
    return metrics, events, pictures, outcome_so_far(run_dir)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
