"""What a rank's processes do, written down now and then for those on other machines."""

import time
from contextlib import suppress
from pathlib import Path

from launch.machine.activity import Activity, activity_of
from launch.machine.processes import Process
from pcm.run_dir.records import StateRecord
from pcm.run_dir.typed_json import write

INTERVAL_S = 30.0
"""Between two notes: a job of a thousand ranks must not keep a file server busy."""


class StateNote:
    """Keeps the note of one rank's training process."""

    def __init__(self, path: Path, training: Process) -> None:
        self._path = path
        self._training = training
        self._last: Activity | None = None
        self._noted = -INTERVAL_S

    def renew(self, *, at_once: bool = False) -> None:
        """Write the note anew if it is time, or the last time."""
        now = time.monotonic()
        if not at_once and now < self._noted + INTERVAL_S:
            return
        activity = activity_of(self._training)
        if activity is None:
            return
        record = StateRecord(
            activity.state,
            activity.cpu_s,
            cpu_before_s=0.0 if self._last is None else self._last.cpu_s,
            between_s=0.0 if self._last is None else now - self._noted,
            waits_in=activity.waits_in,
            stopped=activity.stopped,
            time=time.time(),
        )
        self._last, self._noted = activity, now
        # A full disk must not end training.
        with suppress(OSError):
            write(self._path, record, durable=False)
