"""Which experiments wait for a local launcher: one file a launcher, there while it lives."""

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launch.machine.processes import Process
from launch.store import RunsRoot
from launch.store.records import read_record
from pcm.run_dir import write_json
from pcm.run_dir.trust import make_shared_folder

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
        """Let others know what waits, and that the launcher lives; cheap to call often."""
        if experiment_ids != self._waiting:
            self._write(experiment_ids)
        elif time.monotonic() > self._beaten + BEAT_S:
            os.utime(self._path)
            self._beaten = time.monotonic()

    def _write(self, experiment_ids: Sequence[str]) -> None:
        self._waiting = experiment_ids
        self._beaten = time.monotonic()
        record = {**Process.current().record(), "experiments": list(experiment_ids)}
        write_json(self._path, record, durable=False)


@contextmanager
def announced_queue(root: RunsRoot, experiment_ids: Sequence[str]) -> Iterator[LauncherQueue]:
    """A queue that others see until the block ends."""
    path = root.queues / f"{uuid.uuid4().hex}.json"
    make_shared_folder(path.parent)
    try:
        yield LauncherQueue(path, experiment_ids)
    finally:
        path.unlink(missing_ok=True)


def queued_ids(root: RunsRoot) -> set[str]:
    """The experiments that wait for a living launcher."""
    return {each for record in _living(root) for each in record["experiments"]}


def launcher_of(root: RunsRoot, experiment_id: str) -> Process | None:
    """The living launcher that an experiment waits for; None if there is none."""
    records = (each for each in _living(root) if experiment_id in each["experiments"])
    return next(map(Process.from_record, records), None)


def _living(root: RunsRoot) -> Iterator[dict[str, Any]]:
    """What living launchers have written down."""
    for path in root.queues.glob("[!.]*.json"):
        record = read_record(path)
        if record and _lives(path, record):
            yield record


def _lives(path: Path, record: dict[str, Any]) -> bool:
    launcher = Process.from_record(record)
    if launcher is not None and launcher.is_local:
        return launcher.is_alive
    return path.exists() and time.time() - path.stat().st_mtime < HEARTBEAT_S
