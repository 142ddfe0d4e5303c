"""Why a job made no attempt: for its other ranks, and for whoever launched it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from launch.store import LaunchDir
from pcm.config.secrets import scrub
from pcm.errors import PcmError, RefusedError
from pcm.run_dir import read_json, write_json


class HeldError(RefusedError):
    """Another attempt of the same experiment is running."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a job made no attempt.

    Attributes:
        message: for people.
        is_held: whether another attempt was running, so that nothing is wrong.
    """

    message: str
    is_held: bool


@contextmanager
def recorded_refusal(launch: LaunchDir, key: str) -> Iterator[None]:
    """Write down what goes wrong in the block."""
    try:
        yield
    except Exception as error:
        message = str(error) if isinstance(error, PcmError) else f"{type(error).__name__}: {error}"
        with suppress(OSError):
            is_held = isinstance(error, HeldError)
            write_json(launch.refusal(key), {"message": scrub(message), "is_held": is_held})
        raise


def read_refusal(launch: LaunchDir, key: str) -> Refusal | None:
    """Why the job of this key made no attempt; None if it did, or hasn't yet."""
    record = read_json(launch.refusal(key))
    return None if record is None else Refusal(record["message"], record["is_held"])
