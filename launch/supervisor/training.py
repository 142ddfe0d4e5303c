"""The training process of one rank, and its end."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from launch.machine.processes import Process, kill_group
from launch.machine.signals import SCHEDULER
from launch.supervisor.forked import Waiting
from launch.supervisor.guard import Guard
from launch.supervisor.memory import count_oom_kills
from pcm.errors import ExitCode
from pcm.run_dir.records import OutcomeRecord
from pcm.run_dir.trust import open_private
from pcm.run_dir.typed_json import plain

_PR_SET_PDEATHSIG = 1

_MEGABYTE = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""In the kernel's unit for the memory of processes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a training process ended.

    Attributes:
        signal: the signal's name if one killed it; `exit_code` is None then.
        killed: whether it was killed on our side: since another rank had failed, or by a person.
        out_of_memory: whether the kernel killed a process for its memory meanwhile.
        largest_process_mb: the most memory that one of its processes had; None if unknown.
    """

    exit_code: int | None
    signal: str | None
    killed: bool = False
    out_of_memory: bool = False
    largest_process_mb: int | None = field(default=None, compare=False)

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
        forked: a child that has its orders to do what the command would; None to start one.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        is_inside: bool = False,
        forked: Waiting | None = None,
    ) -> None:
        self.command = list(command)
        self._child = forked or _start(command, environment, log)
        self.process = Process.of(self._child.pid)
        self._guard = Guard(self.process) if is_inside else None
        self._killed = False
        self._oom_kills = count_oom_kills()

    def poll(self) -> Outcome | None:
        """How it ended; None while it runs."""
        pid = self._child.pid
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # As long as nobody has fetched its exit code, nobody else can have got its id.
        kill_group(self.process)
        if self._guard is not None:
            self._guard.sweep()
        code = self._child.wait()
        is_oom = count_oom_kills() > self._oom_kills
        largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // _MEGABYTE
        if code < 0:
            return Outcome(None, signal.Signals(-code).name, self._killed, is_oom, largest)
        return Outcome(code, None, self._killed, is_oom, largest)

    def kill(self) -> None:
        """End it and its workers at once."""
        self._killed = True
        kill_group(self.process)


def _start(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    with open(log, "ab", opener=open_private) as stream:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            # Out of reach of the terminal's signals; and one signal ends all its workers.
            start_new_session=True,
            preexec_fn=tie_child(),  # noqa: PLW1509 - the supervisor has no threads
        )


def tie_child() -> Callable[[], None]:
    """What a child of the calling process does first, to live no longer and heed no signal."""
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
    return partial(_prepare_child, os.getpid(), prctl)


def _prepare_child(supervisor: int, prctl: Callable[[int, int], int] | None) -> None:
    # The supervisor alone decides what a signal means; the default of USR1 would be death.
    for each in SCHEDULER:
        signal.signal(each, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SCHEDULER)
    if prctl is not None:
        _die_with(supervisor, prctl)


def die_with(parent: int) -> None:
    """Let the kernel kill this process if its parent is killed; on Linux."""
    _die_with(parent, ctypes.CDLL(None).prctl)


def _die_with(parent: int, prctl: Callable[[int, int], int]) -> None:
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
