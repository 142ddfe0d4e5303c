"""The training process of one rank, and its end."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from launch.machine.processes import Process, has_ended, kill_group, largest_child_mb
from launch.machine.signals import SCHEDULER
from launch.supervisor.guard import Guard
from launch.supervisor.memory import count_oom_kills
from pcm.errors import ExitCode
from pcm.nursery.tie import Prctl, die_with
from pcm.run_dir.records import OutcomeRecord
from pcm.run_dir.signal_names import signal_name
from pcm.run_dir.trust import open_private
from pcm.run_dir.typed_json import plain


class Child(Protocol):
    """A training process, however it came about."""

    @property
    def pid(self) -> int: ...  # noqa: D102

    def has_ended(self) -> bool:
        """Whether it has ended; nobody else can have got its id as long as `wait` wasn't called."""
        ...

    def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal."""
        ...

    def largest_mb(self) -> int | None:
        """The most memory that one of its processes had; for when it was waited for."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training process ended.

    Attributes:
        signal: the signal's name if one killed it; `exit_code` is None then.
        killed: whether it was killed on our side: since another rank had failed, or by a person.
        out_of_memory: whether the kernel killed a process for its memory meanwhile.
        oom_kills: how many it did.
        largest_process_mb: the most memory that one of its processes had; None if unknown.
    """

    exit_code: int | None
    signal: str | None
    killed: bool = False
    out_of_memory: bool = False
    largest_process_mb: int | None = field(default=None, compare=False)
    oom_kills: int = field(default=0, compare=False)

    @property
    def is_failure(self) -> bool:
        """Whether it says of itself that it failed."""
        return self.exit_code not in (ExitCode.DONE, ExitCode.STOPPED)

    def record(self) -> dict[str, Any]:
        """As plain data, for a JSON file."""
        record = OutcomeRecord(
            exit_code=self.exit_code,
            signal=self.signal,
            killed=self.killed,
            out_of_memory=self.out_of_memory,
            ended=time.time(),
            largest_process_mb=self.largest_process_mb,
        )
        return plain(record)


class TrainingProcess:
    """A training process that never outlives its supervisor, nor its own children it.

    Args:
        command: its words.
        environment: all of its variables.
        log: file that its output is added to.
        is_inside: whether it is `apptainer`, and training inside.
        forked: one that has its orders to do what the command would; None to start one.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        is_inside: bool = False,
        forked: Child | None = None,
    ) -> None:
        self.command = list(command)
        self._child = forked or Fresh(command, environment, log)
        self.process = Process.of(self._child.pid)
        self._guard = Guard(self.process) if is_inside else None
        self._killed = False
        self._oom_kills = count_oom_kills()

    def poll(self) -> Outcome | None:
        """How it ended; None while it runs."""
        if not self._child.has_ended():
            return None
        kill_group(self.process)
        if self._guard is not None:
            self._guard.sweep()
        code = self._child.wait()
        kills = count_oom_kills() - self._oom_kills
        return Outcome(
            exit_code=code if code >= 0 else None,
            signal=signal_name(-code) if code < 0 else None,
            killed=self._killed,
            out_of_memory=kills > 0,
            largest_process_mb=self._child.largest_mb(),
            oom_kills=kills,
        )

    def kill(self) -> None:
        """End it and its workers at once."""
        self._killed = True
        kill_group(self.process)


class Fresh:
    """A training process that was started as a program."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        with open(log, "ab", opener=open_private) as stream:
            self._popen = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                # Out of reach of the terminal's signals; and one signal ends all its workers.
                start_new_session=True,
                preexec_fn=tie_child(),  # noqa: PLW1509 - the supervisor has no threads
            )
        self.pid = self._popen.pid

    def has_ended(self) -> bool:
        """Whether it has ended; its exit code is still to be had."""
        return has_ended(self.pid)

    def wait(self) -> int:
        """Its exit code once it has ended, negative for a signal."""
        return self._popen.wait()

    def largest_mb(self) -> int | None:
        """The most memory that one of its processes had."""
        return largest_child_mb()


def tie_child() -> Callable[[], None]:
    """What a child of the calling process does first, to live no longer and heed no signal."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    return partial(_prepare_child, os.getpid(), prctl)


def _prepare_child(supervisor: int, prctl: Prctl | None) -> None:
    # The supervisor alone decides what a signal means; the default of USR1 would be death.
    for each in SCHEDULER:
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SCHEDULER)
    if prctl is not None:
        die_with(supervisor, prctl)
