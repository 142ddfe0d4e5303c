"""Letting other users reach the checkout and the interpreter, for as long as tests run."""

import fcntl
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path
from typing import IO, Any

import psutil

PASS = 0o001
"""Others may pass through a folder."""

LEDGER = Path(tempfile.gettempdir()) / "pcm-test-access.json"
"""Folders that were opened with their former modes, and the test sessions that need them."""


def needed_folders() -> list[Path]:
    """Where jobs find the checkout, this virtual environment, and the Python below it."""
    return [Path(__file__).resolve().parents[1], Path(sys.prefix), Path(sys.base_prefix).resolve()]


@contextmanager
def passable(folders: list[Path]) -> Iterator[None]:
    """Everybody may pass through the folders above these until the last session has ended."""
    with LEDGER.open("a+") as ledger:
        with _locked(ledger) as record:
            for folder in {each for path in folders for each in (path, *path.parents)}:
                mode = folder.stat().st_mode & 0o7777
                if not mode & PASS:
                    record["modes"][str(folder)] = mode
                    folder.chmod(mode | PASS)
            record["sessions"].append(getpid())
        try:
            yield
        finally:
            with _locked(ledger) as record:
                record["sessions"].remove(getpid())
                if not any(map(psutil.pid_exists, record["sessions"])):
                    _close(record["modes"])


def _close(modes: dict[str, int]) -> None:
    for folder, mode in modes.items():
        Path(folder).chmod(mode)
    LEDGER.unlink()


@contextmanager
def _locked(ledger: IO[str]) -> Iterator[dict[str, Any]]:
    """The ledger's content, for nobody else to change; written back at the end."""
    fcntl.flock(ledger, fcntl.LOCK_EX)
    try:
        ledger.seek(0)
        record = json.loads(ledger.read() or '{"modes": {}, "sessions": []}')
        yield record
        ledger.seek(0)
        ledger.truncate()
        ledger.write(json.dumps(record))
        ledger.flush()
    finally:
        fcntl.flock(ledger, fcntl.LOCK_UN)
