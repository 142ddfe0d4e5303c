"""`python -m launch.local.forking FD LAUNCHER 0|1 [MODULE...]` forks supervisors and training.

With 1 it has loaded what training needs, which takes seconds. It does nothing but fork then, has
no thread and has used no GPU. It ends with its launcher, whose requests come by a socket.
"""

import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from launch.supervisor.forked import fork_waiting
from launch.supervisor.forked_supervisor import supervise_forked
from launch.supervisor.job import Job
from launch.supervisor.training import tie_child
from pcm.nursery.loaded import LoadedCode, load
from pcm.nursery.orders import Orders, open_files, print_to
from pcm.nursery.tie import die_with

LARGEST = 1 << 20
"""Bytes of a request: an environment and a few words."""


def main() -> None:
    """Load, fork as often as it is asked to; in a training process this trains."""
    loaded_with = dict(os.environ)
    number, launcher, is_for_training, *preload = sys.argv[1:]
    die_with(int(launcher))
    channel = socket.socket(fileno=int(number))
    trouble = load(preload) if is_for_training == "1" else None
    forker = Forker(loaded_with, kept=open_files() - {channel.fileno()})
    signal.signal(signal.SIGCHLD, _reap)
    gc.freeze()
    channel.sendall(json.dumps({"cold": trouble}).encode())
    orders = forker.serve(channel)
    if orders is None:
        _reap()
        os._exit(0)
    orders.follow()


class Forker:
    """Forks supervisors of the ranks of a job, and for each of them its training process."""

    def __init__(self, loaded_with: dict[str, str], kept: set[int]) -> None:
        self._loaded_with = loaded_with
        # As Lightning does, so that looking for GPUs doesn't touch them.
        self._set_by_loading = {n: v for n, v in os.environ.items() if n not in loaded_with}
        self._kept = kept
        self._code = LoadedCode()

    def serve(self, channel: socket.socket) -> Orders | None:
        """Fork until the launcher is gone: then None; in a training process its orders."""
        for request, go in _requests(channel):
            if (file := self._code.edited()) is not None:
                channel.sendall(json.dumps({"cold": f"{file} was edited"}).encode())
                go.close()
                continue
            pids = []
            for rank in range(request["ranks"]):
                pid = os.fork()
                if pid == 0:
                    channel.close()
                    return self._be_supervisor(request, rank, go)
                pids.append(pid)
            go.close()
            channel.sendall(json.dumps({"cold": None, "pids": pids}).encode())
        return None

    def _be_supervisor(self, request: dict[str, Any], rank: int, go: socket.socket) -> Orders:
        """Supervise a rank and end; in its training process: the orders of that."""
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        print_to(Path(request["folder"]) / f"supervisor-{rank}.log")
        os.environ.clear()
        os.environ.update(request["environment"])
        tie = tie_child()

        def prepare() -> None:
            tie()
            go.close()

        found = None
        if request["is_training"]:
            found = fork_waiting(prepare, self._kept, self._loaded_with)
        if isinstance(found, Orders):
            os.environ.update(self._set_by_loading)
            return found
        # Without a word, the launcher has given up waiting, and starts others.
        is_wanted = bool(go.recv(1))
        go.close()
        if not is_wanted:
            os._exit(1)
        # What is above belongs to the process that this one was forked from.
        job = Job.forked(request["id"], rank, request["ranks"])
        os._exit(supervise_forked(request["launch"], request["experiment"], job, found))


def _reap(*_signal: object) -> None:
    """Forget supervisors that have ended: the launcher asks the kernel about them, nobody else."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _requests(channel: socket.socket) -> Iterator[tuple[dict[str, Any], socket.socket]]:
    """What the launcher asks for, each with the socket where it says go, until it is gone."""
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 1)
        if not text or not descriptors:
            return
        yield json.loads(text), socket.socket(fileno=descriptors[0])


if __name__ == "__main__":
    main()
