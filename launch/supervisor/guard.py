"""Ends training inside an image when its supervisor is killed.

Apptainer changes user on its way in, and the kernel then forgets to whom a process is tied by
`PR_SET_PDEATHSIG`. So another process waits for the supervisor's end of a pipe to close, and
kills the whole session: what serves the image's files has a process group of its own.
"""

import subprocess

from launch.machine.processes import Process

_SCRIPT = """
trap "" HUP INT TERM USR1 USR2
read -r _
session=$1
for stat in /proc/[0-9]*/stat; do
    read -r line < "$stat" || continue
    pid=${stat#/proc/}
    set -- ${line##*) }
    [ "$4" = "$session" ] && kill -s KILL "${pid%/stat}"
done
"""


class Guard:
    """Watches over one session for as long as its supervisor lives."""

    def __init__(self, leader: Process) -> None:
        self._popen = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "sh", str(leader.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def sweep(self) -> None:
        """Kill what is left; for when the leader has ended and nobody has fetched its exit code."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()
        self._popen.wait()
