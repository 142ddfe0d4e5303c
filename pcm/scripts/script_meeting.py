"""What all ranks of a script must know before it starts, from rank 0: see `rendezvous`."""

import socket
import time
from contextlib import closing

from pcm.errors import PcmError
from pcm.rank.settings import rendezvous_seconds
from pcm.rank.task import Task
from pcm.run_dir.checkpointing import read_checkpointing
from pcm.run_dir.checkpoints import find_checkpoint
from pcm.run_dir.records import RendezvousRecord
from pcm.run_dir.typed_json import read, write

_LOOK = 0.05


class StoppedBeforeStartError(Exception):
    """A stop was asked for before rank 0 was there."""


def meet(task: Task) -> RendezvousRecord:
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
    while not isinstance(meeting := read(RendezvousRecord, path), RendezvousRecord):
        if task.stop.is_asked:
            raise StoppedBeforeStartError
        if time.monotonic() > deadline:
            raise PcmError(f"waited in vain for rank 0 to write {path}", "see the log of rank 0")
        time.sleep(_LOOK)
    return meeting


def _proposed(task: Task) -> RendezvousRecord:
    run_dir, ranks = task.run_dir, task.ranks
    own = find_checkpoint(run_dir.checkpoints, task.checkpoint, read_checkpointing(run_dir))
    address = "127.0.0.1" if ranks.nodes == 1 else ranks.address
    # The script runs in another folder.
    checkpoint = None if own is None else str(own.absolute())
    return RendezvousRecord(address, _free_port(), checkpoint=checkpoint)


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
