"""Fetching full MNIST once, through torchvision, without ever waiting for a dead network."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.error import HTTPError
from urllib.request import urlopen

from filelock import FileLock

from pcm.data.digits import RAW_FOLDER, has_files

PROBE_SECONDS = 5.0
_READ_SECONDS = 20.0


def ensure_files(data_dir: Path) -> str | None:
    """Download the files of full MNIST into `data_dir` unless they are there.

    Safe for several processes at once; the files appear when all are whole.

    Returns:
        Why the files are not there, or None if they are.
    """
    if has_files(data_dir):
        return None
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with FileLock(data_dir / ".mnist.lock"):
            return None if has_files(data_dir) else _download(data_dir)
    except OSError as error:
        return f"can't write to {data_dir}: {error.strerror or error}"


def _download(data_dir: Path) -> str | None:
    try:
        # Takes seconds to import, so only where something is to be downloaded.
        from torchvision.datasets import MNIST
    except (ImportError, RuntimeError) as error:
        return f"torchvision can't be imported: {error}"
    if not any_answers(MNIST.mirrors, PROBE_SECONDS):
        return "no server that has the files can be reached"
    with tempfile.TemporaryDirectory(dir=data_dir, prefix=".mnist-") as aside:
        try:
            with _socket_timeout(_READ_SECONDS):
                MNIST(aside, download=True)
        except (OSError, RuntimeError, HTTPException) as error:
            return f"the download failed: {' '.join(str(error).split())}"
        target = data_dir / RAW_FOLDER
        target.parent.mkdir(exist_ok=True)
        Path(aside, RAW_FOLDER).replace(target)
    return None


def any_answers(urls: Sequence[str], seconds: float) -> bool:
    """Whether the server of any of `urls` answers within `seconds`, with whatever answer."""
    answers: SimpleQueue[bool] = SimpleQueue()
    # In threads that may be left behind: looking up a name has no time-out of its own.
    for url in urls:
        ask = threading.Thread(target=lambda url=url: answers.put(_answers(url, seconds)))
        ask.daemon = True
        ask.start()
    deadline = time.monotonic() + seconds
    try:
        return any(answers.get(timeout=max(0, deadline - time.monotonic())) for _ in urls)
    except Empty:
        return False


def _answers(url: str, seconds: float) -> bool:
    try:
        urlopen(url, timeout=seconds).close()
    except HTTPError:
        return True
    except (OSError, HTTPException):
        return False
    return True


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """A limit to each wait for the network, since torchvision sets none."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
