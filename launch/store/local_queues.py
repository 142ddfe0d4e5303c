"""Which experiments wait for a local launcher: one file a launcher, there while it lives."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from launch.damage import whole
from launch.machine.processes import Process
from launch.store import RunsRoot
from launch.store.host_records import QueueRecord
from pcm.run_dir.trust import make_shared_folder
from pcm.run_dir.typed_json import read, write

BEAT_S = 10.0

HEARTBEAT_S = 60.0
"""A launcher on another machine whose file is older than this is gone."""


class LauncherQueue:
    """What one launcher still has to start."""

    def __init__(self, path: Path, experiment_ids: Sequence[str]) -> None:
        self._path = path
        self._waiting: Sequence[str] = ()
        self._beaten = 0.0
        self._write(experiment_ids)

    def update(self, experiment_ids: Sequence[str]) -> None:
        """Let others know what waits, and that the launcher lives; cheap to call often.

        On a full disk they know it later: that is no reason to end what runs.
        """
        with suppress(OSError):
            if experiment_ids != self._waiting:
                self._write(experiment_ids)
            elif time.monotonic() > self._beaten + BEAT_S:
                os.utime(self._path)
                self._beaten = time.monotonic()

    def _write(self, experiment_ids: Sequence[str]) -> None:
        record = QueueRecord(**Process.current().record(), experiments=list(experiment_ids))
        write(self._path, record, durable=False)
        self._waiting = experiment_ids
        self._beaten = time.monotonic()


@contextmanager
def announced_queue(root: RunsRoot, experiment_ids: Sequence[str]) -> Iterator[LauncherQueue]:
    """A queue that others see until the block ends."""
    path = root.queues / f"{os.urandom(16).hex()}.json"
    make_shared_folder(path.parent)
    try:
        yield LauncherQueue(path, experiment_ids)
    finally:
        path.unlink(missing_ok=True)


def queued_ids(root: RunsRoot) -> set[str]:
    """The experiments that wait for a living launcher."""
    return {each for record in _living(root) for each in record.experiments}


def launcher_of(root: RunsRoot, experiment_id: str) -> Process | None:
    """The living launcher that an experiment waits for; None if there is none."""
    records = (each for each in _living(root) if experiment_id in each.experiments)
    return next(map(_launcher, records), None)


def _living(root: RunsRoot) -> Iterator[QueueRecord]:
    """What living launchers have written down."""
    for path in root.queues.glob("[!.]*.json"):
        record = whole(read(QueueRecord, path))
        if record is not None and _lives(path, _launcher(record)):
            yield record


def _launcher(record: QueueRecord) -> Process:
    return Process(record.host, record.pid, record.process_started)


def _lives(path: Path, launcher: Process) -> bool:
    if launcher.is_local:
        return launcher.is_alive
    return path.exists() and time.time() - path.stat().st_mtime < HEARTBEAT_S
