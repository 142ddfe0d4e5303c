"""Ends training inside an image when its supervisor is killed.

Apptainer changes user on its way in, and the kernel then forgets to whom a process is tied by
`PR_SET_PDEATHSIG`. So another process waits for the supervisor's end of a pipe to close.
"""

import subprocess

from launch.processes import Process

_SCRIPT = 'trap "" HUP INT TERM USR1 USR2; read -r _; kill -s KILL -- "-$1"'


class Guard:
    """Watches over one process group for as long as its supervisor lives."""

    def __init__(self, leader: Process) -> None:
        self._popen = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", str(leader.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The group has ended by itself."""
        self._popen.kill()
        self._popen.wait()
        assert self._popen.stdin is not None
        self._popen.stdin.close()
