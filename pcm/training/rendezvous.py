"""How the ranks of one attempt find each other, and no others.

Rank 0 listens on a port that was free, and publishes it in `rendezvous.json`. So ports
never clash, nothing depends on a job's number, and a rank that reaches another job's
store notices.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
import torch.distributed as dist
from torch.distributed import (  # type: ignore[attr-defined]  # documented there, typed elsewhere
    DistError,
    HashStore,
    PrefixStore,
    Store,
    TCPStore,
)

from pcm.errors import PcmError
from pcm.rank.ranks import Ranks
from pcm.rank.settings import collective_seconds, rendezvous_seconds
from pcm.rank.stop import StopRequest
from pcm.run_dir import AttemptDir
from pcm.run_dir.records import RendezvousRecord
from pcm.run_dir.typed_json import Damaged, read, write
from pcm.training.timeouts import AbsentRanksError

_LOOK = 0.05
"""Seconds between two looks at files and keys of others."""

_FAREWELL = 5.0
"""Seconds that rank 0 keeps its store for ranks that have yet to read its answer."""


class MissedRanksError(PcmError, AbsentRanksError):
    """Not all ranks came to the rendezvous."""


class StoppedWhileMeetingError(Exception):
    """A stop was asked for before all ranks were there."""


@contextmanager
def process_group(
    ranks: Ranks,
    attempt: AttemptDir,
    experiment: str,
    device: torch.device,
    stop: StopRequest,
    *,
    is_needed: bool = False,
) -> Iterator[None]:
    """The default process group of all ranks: NCCL on GPUs, gloo on CPUs; none for one rank.

    Args:
        is_needed: whether one rank needs a group all the same.

    Raises:
        StoppedWhileMeetingError: on every rank, if a stop was asked for meanwhile.
        PcmError: somebody didn't come, or a stranger answers.
    """
    if ranks.world_size == 1 and not is_needed:
        yield
        return
    name = f"{experiment}/{attempt.number}"
    store: Store = HashStore()
    if ranks.world_size > 1:
        store = _meet(ranks, attempt, name, time.monotonic() + rendezvous_seconds(), stop)
    if ranks.nodes == 1 and sys.platform == "linux":
        # The host's own name need not resolve; all ranks are here anyway.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        store=PrefixStore("torch", store),
        rank=ranks.rank,
        world_size=ranks.world_size,
        timeout=timedelta(seconds=collective_seconds()),
        device_id=device if device.type == "cuda" else None,
    )
    # Not in a finally: after an error the other ranks may be gone, and this would wait.
    yield
    dist.destroy_process_group()


def _meet(
    ranks: Ranks, attempt: AttemptDir, name: str, deadline: float, stop: StopRequest
) -> Store:
    if ranks.is_first:
        return _receive(ranks, attempt, name, deadline, stop)
    return _join(ranks, attempt, name, deadline)


def _receive(
    ranks: Ranks, attempt: AttemptDir, name: str, deadline: float, stop: StopRequest
) -> Store:
    """Rank 0: listen, publish, wait for everybody, answer."""
    address = "127.0.0.1" if ranks.nodes == 1 else ranks.address
    store = TCPStore(address, 0, is_master=True, wait_for_workers=False)
    store.set("name", name)
    experiment = name.rpartition("/")[0]
    record = RendezvousRecord(address, store.port, experiment, attempt.number)
    write(attempt.rendezvous, record)
    others = ranks.world_size - 1
    while store.add("arrived", 0) < others and not stop.is_asked:
        if time.monotonic() > deadline:
            raise MissedRanksError(
                f"only {1 + store.add('arrived', 0)} of {ranks.world_size} ranks came to the"
                f" rendezvous at {address}:{store.port} in time",
                f"see the logs of the other ranks in {attempt.path}",
            )
        time.sleep(_LOOK)
    if stop.is_asked:
        _send_away(store)
        raise StoppedWhileMeetingError
    store.set("answer", "start")
    return store


def _send_away(store: TCPStore) -> None:
    """Tell those who have arrived that there is a stop; later ones see the attempt's end."""
    store.set("answer", "stop")
    until = time.monotonic() + _FAREWELL
    while store.add("left", 0) < store.add("arrived", 0) and time.monotonic() < until:
        time.sleep(_LOOK)


def _join(ranks: Ranks, attempt: AttemptDir, name: str, deadline: float) -> Store:
    """Any other rank: find rank 0, check that it is ours, wait for its answer."""
    place = _published(attempt, deadline)
    store = _connect(place.address, place.port, ranks, deadline)
    found = store.get("name").decode()
    if found != name:
        raise PcmError(
            f"rank {ranks.rank} of {name} reached {found} at {place.address}:{place.port}",
            "resume the experiment: the next attempt listens on another port",
        )
    store.add("arrived", 1)
    while not store.check(["answer"]):
        _keep_waiting(deadline, "the other ranks")
    if store.get("answer") == b"stop":
        store.add("left", 1)
        raise StoppedWhileMeetingError
    return store


def _published(attempt: AttemptDir, deadline: float) -> RendezvousRecord:
    while (place := read(RendezvousRecord, attempt.rendezvous)) is None:
        if attempt.stopped.exists():
            raise StoppedWhileMeetingError
        _keep_waiting(deadline, f"rank 0 to write {attempt.rendezvous}")
    if isinstance(place, Damaged):
        raise PcmError(str(place), "resume the experiment: the next attempt has a file of its own")
    return place


def _connect(address: str, port: int, ranks: Ranks, deadline: float) -> TCPStore:
    left = timedelta(seconds=max(1.0, deadline - time.monotonic()))
    try:
        return TCPStore(address, port, is_master=False, timeout=left)
    except (DistError, RuntimeError) as error:
        raise PcmError(
            f"rank {ranks.rank} cannot reach rank 0 at {address}:{port}: {error}",
            "see rank 0's log; on a cluster, the nodes must reach each other by that address",
        ) from error


def _keep_waiting(deadline: float, whom: str) -> None:
    if time.monotonic() > deadline:
        raise MissedRanksError(
            f"waited in vain for {whom}", "see the other ranks' logs, rank 0's above all"
        )
    time.sleep(_LOOK)
