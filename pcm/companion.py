"""A process beside training that shares nothing with it but the run directory and a pipe.

Whatever ends training also ends the pipe, and so tells the other process. So that one can neither
slow training down, nor draw from its random generators, nor take its signals, nor keep it from
exiting.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pcm.errors import ExitCode
from pcm.run_dir import RunDir
from pcm.run_dir.records import KilledCompanionsRecord
from pcm.run_dir.typed_json import read, write

_MARGIN = 2.0
"""Seconds that the process has beyond its grace before it is killed."""

_LOOK = 0.5
"""Seconds between two looks at whether somebody has begun to wait for the machine."""


class Companion:
    """`python -m MODULE RUN_DIR --follow`, which ends when this process ends.

    One that can't be started, or that dies, is a warning and no more.

    Args:
        module: has a command line like `pcm.tracking`'s.
        what: it is for, such as "the tracker".
        consolation: what warnings say of what is not lost.
        environment: variables besides those of this process.
    """

    def __init__(
        self,
        module: str,
        run_dir: RunDir,
        what: str,
        consolation: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", module, str(run_dir.path), "--follow"]
        self._run_dir = run_dir
        self._what = what
        self._consolation = consolation
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, env={**os.environ, **(environment or {})}
            )
        except OSError as error:
            self._warn(f"no process could be started for {what}: {error}")

    def check(self) -> None:
        """Warn, once, if the process has died."""
        if self._process is not None and self._process.poll() is not None:
            self.end(0.0)

    def end(self, grace: float, is_hurried: Callable[[], bool] = lambda: False) -> None:
        """Let the process do the rest, within `grace` seconds; a second call does nothing.

        Args:
            is_hurried: whether somebody waits for the machine now: then the rest is left.
        """
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        with suppress(BrokenPipeError), process.stdin as stdin:
            stdin.write(str(grace).encode())
        until, is_late = time.monotonic() + grace + _MARGIN, False
        while (left := until - time.monotonic()) > 0 and not is_hurried():
            with suppress(subprocess.TimeoutExpired):
                process.wait(min(left, _LOOK))
                break
        else:
            is_late = True
            process.kill()
        code = process.wait()
        # It tells of its refusals itself; of a crash or a kill it can't.
        if code not in {ExitCode.DONE, ExitCode.REFUSED} and not is_hurried():
            self._warn(f"{self._what}'s process ended with exit code {code}")
        if code == -signal.SIGKILL and not is_late:
            with suppress(OSError):
                _note_kill(self._run_dir, self._what)

    def _warn(self, problem: str) -> None:
        warnings.warn(f"{problem}; {self._consolation}", stacklevel=3)


def _note_kill(run_dir: RunDir, what: str) -> None:
    """Tell the supervisor: the kernel may have taken it for its memory, and counts that for all."""
    attempts = run_dir.attempts()
    if not attempts:
        return
    file = attempts[-1].killed_companions
    earlier = read(KilledCompanionsRecord, file)
    names = earlier.names if isinstance(earlier, KilledCompanionsRecord) else []
    group = Path("/proc/self/cgroup").read_text()
    write(file, KilledCompanionsRecord(socket.gethostname(), group, [*names, what]))


def work_beside_parent(
    work: Callable[[threading.Event], None], tell_late: Callable[[float], None], grace: float
) -> None:
    """Work, in a companion, until its parent has ended and the work is done.

    Args:
        work: is told by the event that the parent has ended, and then does the rest.
        tell_late: called with the seconds in which the work was not done; then this process ends.
        grace: seconds for the rest, unless the parent says how many.
    """
    # Ctrl-C is for training, whose end then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended = threading.Event()
    done = threading.Event()

    def watch() -> None:
        text = b""
        while read := os.read(0, 4096):
            text += read
        ended.set()
        left = float(text or grace)
        if not done.wait(left):
            tell_late(left)
            os._exit(ExitCode.REFUSED)

    threading.Thread(target=watch, daemon=True).start()
    work(ended)
    done.set()
