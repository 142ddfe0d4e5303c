"""Requests to stop: a file of the attempt, and what signals have to do with it."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pcm.rank.supervisor_line import SupervisorLine
from pcm.run_dir import AttemptDir
from pcm.run_dir.attempt_records import StopReason, StopRecord
from pcm.run_dir.typed_json import create, read

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


class StopRequest:
    """Waits for a request in a thread, so that asking costs nothing.

    Args:
        period: seconds between two looks for the attempt's stop file.
        line: where a supervisor says when to look, so that the thread needn't again and again.
    """

    def __init__(
        self, attempt: AttemptDir, period: float = 0.25, line: SupervisorLine | None = None
    ) -> None:
        self._path = attempt.stop
        self._period = period
        self._line = line
        self._asked = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="stop request", daemon=True)

    def __enter__(self) -> "StopRequest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._line is not None:
            self._line.leave()
        self._thread.join()

    @property
    def is_asked(self) -> bool:
        """Whether the thread has seen the file."""
        return self._asked.is_set()

    def look(self) -> bool:
        """Look now, without waiting for the thread."""
        if self._path.exists():
            self._asked.set()
        return self._asked.is_set()

    @property
    def reason(self) -> StopReason:
        """Why; a request that can't be read counts, and nobody knows more about it."""
        record = read(StopRecord, self._path)
        return record.reason if isinstance(record, StopRecord) else StopReason.INTERRUPT

    def _watch(self) -> None:
        while not self.look() and not self._over.is_set():
            if self._line is None or not self._line.listen(self._period):
                self._over.wait(self._period)


@contextmanager
def ignored_signals() -> Iterator[None]:
    """Leave signals to the supervisor: it decides what is a request to stop."""
    with _handlers(signal.SIG_IGN):
        yield


@contextmanager
def signals_as_request(attempt: AttemptDir) -> Iterator[None]:
    """Without a supervisor, a signal is a request to stop; a second Ctrl-C interrupts."""

    def ask(number: int, _: FrameType | None) -> None:
        by = signal.Signals(number).name
        create(attempt.stop, StopRecord(by, StopReason.INTERRUPT, time.time()))
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with _handlers(ask):
        yield


@contextmanager
def _handlers(handler: Any) -> Iterator[None]:
    # Training in the calling process (the debug executor) gives its signals back.
    before = [(number, signal.signal(number, handler)) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
