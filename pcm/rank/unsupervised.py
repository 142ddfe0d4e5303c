"""An attempt that a person starts by hand, without a supervisor; needs no torch."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pcm.errors import NotFoundError, RefusedError
from pcm.rank.stop import signals_as_request
from pcm.run_dir import AttemptDir, RunDir
from pcm.run_dir.attempt_records import AttemptRecord
from pcm.run_dir.trust import make_folder, require_trusted
from pcm.run_dir.typed_json import write


@contextmanager
def own_attempt(run_dir: RunDir) -> Iterator[AttemptDir]:
    """The next attempt of an experiment, with the experiment locked while it runs.

    Raises:
        NotFoundError: this is no run directory.
        RefusedError: another attempt is running, or others could have changed what would run.
    """
    if not run_dir.experiment.exists():
        raise NotFoundError(
            f"{run_dir.path} is no run directory: it has no {run_dir.experiment.name}",
            "pcm launch makes run directories",
        )
    for path in (run_dir.config, run_dir.experiment):
        require_trusted(path, run_dir.path.parent)
    try:
        with FileLock(run_dir.lock, timeout=0):
            attempt = _next_attempt(run_dir)
            # Before the record that tells others of it: from then on a signal is a stop.
            with signals_as_request(attempt):
                _record_start(attempt)
                yield attempt
    except Timeout as error:
        raise RefusedError(
            f"another attempt of {run_dir.path} is running", "pcm status tells where"
        ) from error


def _next_attempt(run_dir: RunDir) -> AttemptDir:
    number = max((attempt.number for attempt in run_dir.attempts()), default=0) + 1
    attempt = run_dir.attempt(number)
    make_folder(attempt.path)
    return attempt


def _record_start(attempt: AttemptDir) -> None:
    host, pid = socket.gethostname(), os.getpid()
    record = AttemptRecord(
        number=attempt.number,
        key=f"hand-{host}-{pid}-{attempt.number}",
        executor="hand",
        host=host,
        pid=pid,
        started=time.time(),
        world_size=1,
    )
    write(attempt.attempt, record)
