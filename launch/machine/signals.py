"""Signals that only set a flag: what is to be done is done elsewhere, at a good moment."""

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Self

PERSON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What a person, a closed terminal or a shutting down machine sends."""

SCHEDULER = (*PERSON, signal.SIGUSR1, signal.SIGUSR2)
"""What a scheduler may send besides."""


@dataclass(frozen=True, slots=True)
class Received:
    """A signal that came in.

    Attributes:
        name: e.g. "SIGTERM".
        time: of the monotonic clock, in seconds.
    """

    name: str
    time: float


class SignalFlag:
    """Notes the signals that come in while it is entered.

    A signal that was ignored on entry (`nohup`, a shell's background job) stays ignored,
    unless it is one that nobody ignores on purpose.

    Attributes:
        received: what came in, oldest first; one signal may arrive twice.
    """

    def __init__(self, signals: Sequence[signal.Signals]) -> None:
        self._signals = signals
        self._former: dict[signal.Signals, Any] = {}
        self.received: list[Received] = []

    def __enter__(self) -> Self:
        for each in self._signals:
            if not _is_ignored_on_purpose(each):
                self._former[each] = signal.signal(each, self._note)
        # One that came while they were held back (see `held_back`) arrives now.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)
        return self

    def __exit__(self, *_exception: object) -> None:
        for each, handler in self._former.items():
            signal.signal(each, handler)

    def is_insisted(self, after_s: float) -> bool:
        """Whether a Ctrl-C came more than `after_s` seconds after the first signal.

        What comes sooner is the same one: a wrapper may pass on what the terminal sent.
        """
        return any(
            each.name == "SIGINT" and each.time > self.received[0].time + after_s
            for each in self.received
        )

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(Received(signal.Signals(number).name, time.monotonic()))


@contextmanager
def held_back(signals: Sequence[signal.Signals]) -> Iterator[None]:
    """Keep signals waiting for the caller, and from processes that are started meanwhile.

    A blocked signal stays blocked in a child until the child unblocks it: so a Ctrl-C, which
    the terminal sends to everybody, ends nobody who hasn't said what to do about it.
    """
    former = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def is_one_held_back(signals: Sequence[signal.Signals]) -> bool:
    """Whether one of these waits for the end of `held_back`."""
    return not signal.sigpending().isdisjoint(signals)


def _is_ignored_on_purpose(number: signal.Signals) -> bool:
    may_be = number in (signal.SIGINT, signal.SIGHUP)
    return may_be and signal.getsignal(number) is signal.SIG_IGN
