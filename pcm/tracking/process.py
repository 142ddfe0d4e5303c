"""The feeding process, as training sees it: started, and brought to its end in time."""

import subprocess
import sys
import warnings
from contextlib import suppress

from pcm.errors import ExitCode
from pcm.run_dir import RunDir

_MARGIN = 2.0
"""Seconds that the process has beyond its grace before it is killed."""

_LATER = "the metrics are in the run directory, and the next attempt sends what is missing"


class FeedingProcess:
    """`python -m pcm.tracking RUN_DIR --follow`, which ends when this process ends.

    A process that can't be started, or that dies, is a warning and no more.
    """

    def __init__(self, run_dir: RunDir) -> None:
        command = [sys.executable, "-m", "pcm.tracking", str(run_dir.path), "--follow"]
        self._process: subprocess.Popen[bytes] | None = None
        try:
            # Whatever ends this process also ends the pipe, and so tells the other one.
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)
        except OSError as error:
            _warn(f"no process could be started for the tracker: {error}")

    def end(self, grace: float) -> None:
        """Let the tracker have the rest, within `grace` seconds."""
        if self._process is None or self._process.stdin is None:
            return
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(str(grace).encode())
        try:
            code = self._process.wait(grace + _MARGIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        # It tells of its refusals itself; of a crash or a kill it can't.
        if code not in {ExitCode.DONE, ExitCode.REFUSED}:
            _warn(f"the tracker's process ended with exit code {code}")


def _warn(problem: str) -> None:
    warnings.warn(f"{problem}; {_LATER}", stacklevel=3)
