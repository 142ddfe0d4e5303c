"""What all ranks of a script must know before it starts, from rank 0: see `rendezvous`."""

import socket
import time
from contextlib import closing
from dataclasses import dataclass

from pcm.errors import PcmError
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import find_checkpoint
from pcm.run_dir.typed_json import read, write
from pcm.training.settings import rendezvous_seconds
from pcm.training.task import Task

_LOOK = 0.05


class StoppedBeforeStartError(Exception):
    """A stop was asked for before rank 0 was there."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """`rendezvous.json` of a script.

    Attributes:
        address, port: where its rank 0 may listen: the port was free a moment ago.
        checkpoint: to go on from; None for none that pcm knows.
    """

    address: str
    port: int
    checkpoint: str | None = None


def meet(task: Task) -> Meeting:
    """Rank 0's word, on every rank.

    Raises:
        NotFoundError, PcmError: the checkpoint that was asked for can't be had; or rank 0
            didn't come.
        StoppedBeforeStartError: a stop was asked for meanwhile.
    """
    path = task.attempt.rendezvous
    if task.ranks.is_first:
        write(path, _proposed(task))
    deadline = time.monotonic() + rendezvous_seconds()
    while not isinstance(meeting := read(Meeting, path), Meeting):
        if task.stop.is_asked:
            raise StoppedBeforeStartError
        if time.monotonic() > deadline:
            raise PcmError(f"waited in vain for rank 0 to write {path}", "see the log of rank 0")
        time.sleep(_LOOK)
    return meeting


def _proposed(task: Task) -> Meeting:
    run_dir, ranks = task.run_dir, task.ranks
    own = find_checkpoint(run_dir.checkpoints, task.checkpoint, read_checkpointing(run_dir))
    address = "127.0.0.1" if ranks.nodes == 1 else ranks.address
    # The script runs in another folder.
    return Meeting(address, _free_port(), None if own is None else str(own.absolute()))


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
