"""Why a job made no attempt: for its other ranks, and for whoever launched it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from launch.store import LaunchDir
from pcm.errors import PcmError
from pcm.run_dir import read_json, write_json


@contextmanager
def recorded_refusal(launch: LaunchDir, key: str) -> Iterator[None]:
    """Write down what goes wrong in the block."""
    try:
        yield
    except Exception as error:
        told = str(error) if isinstance(error, PcmError) else f"{type(error).__name__}: {error}"
        with suppress(OSError):
            write_json(launch.refusal(key), {"message": told})
        raise


def read_refusal(launch: LaunchDir, key: str) -> str | None:
    """Why the job of this key made no attempt; None if it did, or hasn't yet."""
    record = read_json(launch.refusal(key))
    return None if record is None else str(record["message"])
