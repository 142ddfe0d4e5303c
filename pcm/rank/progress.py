"""`progress.json`: how far training is, for whoever watches; and its heartbeat."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from pcm.rank.data_wait import DataWait
from pcm.rank.pace import Pace
from pcm.run_dir.attempt_records import ProgressRecord
from pcm.run_dir.files import overwrite_json, write_json
from pcm.run_dir.typed_json import plain


class Progress:
    """What training tells about itself; read by the heartbeat's thread.

    Training sets plain attributes and never waits for anybody.

    Attributes:
        phase: starting, training, validating or checkpointing.
        epoch: epochs done.
        total_steps: steps at the end of training; None if nobody knows.
        count_steps: batches done over all attempts; asked whenever progress is written.
        loss: the last one that was logged.
        interval: seconds between two checkpoints; without one for longer, that is told.
        chances: how often training has come by a place where it could stop.
        data_wait: how long it waits for batches.
    """

    def __init__(self) -> None:
        self.phase = "starting"
        self.epoch = 0
        self.max_epochs: int | None = None
        self.total_steps: int | None = None
        self.count_steps: Callable[[], int] = lambda: 0
        self.loss: float | None = None
        self.interval = math.inf
        self._saved = time.time()
        self._trouble: str | None = None
        self.chances = 0
        self.data_wait = DataWait()
        self._pace = Pace()
        self._marks: deque[tuple[float, int]] = deque(maxlen=30)

    def note_save(self, trouble: str | None) -> None:
        """A checkpoint was just written, or why it could not be."""
        self._trouble = trouble
        if trouble is None:
            self._saved = time.time()

    def record(self) -> dict[str, Any]:
        """The content of `progress.json`; `rate` in steps/s, `eta` in seconds."""
        step, now = self.count_steps(), time.monotonic()
        rate = self._rate(step, now)
        self._pace.look(now, self.phase, step, self.chances)
        stepped = self._pace.stepped
        left = None if self.total_steps is None else max(0, self.total_steps - step)
        written, trouble = time.time(), self._trouble
        waited, training = self.data_wait.seconds()
        is_overdue = trouble is not None and written - self._saved > self.interval
        record = ProgressRecord(
            phase=self.phase,
            epoch=self.epoch,
            max_epochs=self.max_epochs,
            step=step,
            total_steps=self.total_steps,
            loss=self.loss if self.loss is not None and math.isfinite(self.loss) else None,
            rate=rate,
            eta=left / rate if rate and left is not None else None,
            time=written,
            unsaved_since=self._saved if is_overdue else None,
            unsaved=trouble if is_overdue else None,
            stepped=None if stepped is None else written - (now - stepped),
            longest_step=self._pace.longest,
            waited_for_data_s=waited,
            training_s=training,
        )
        return plain(record)

    def _rate(self, step: int, now: float) -> float | None:
        """Steps/s over the last half minute or so, validations included."""
        if self.phase == "starting":
            return None
        self._marks.append((now, step))
        then, first = self._marks[0]
        return (step - first) / (now - then) if step > first else None


class Tells(Protocol):
    """Whatever has something to tell."""

    def record(self) -> dict[str, Any]:
        """What it is at this moment."""


class Heartbeat:
    """Writes what there is to tell every `period` seconds from a thread, whatever training does."""

    def __init__(self, path: Path, progress: Tells, period: float = 1.0) -> None:
        self._path = path
        self._progress = progress
        self._period = period
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._write()

    def _beat(self) -> None:
        self._write()
        while not self._over.wait(self._period):
            self._write()

    def _write(self) -> None:
        record = self._progress.record()
        # A full disk must not end training; the watcher sees an old time instead.
        with suppress(OSError):
            try:
                write_json(self._path, record, durable=False)
            except OSError:
                # No room for another file: what there is to tell has that of the one before.
                overwrite_json(self._path, record)
